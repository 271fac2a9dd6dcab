// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The list of the project's dialects and stages.
#include "passes/Register.h"

#include "dialects/kernel/Kernel.h"
#include "dialects/lowbit/Lowbit.h"
#include "dialects/onnx/Onnx.h"

void halftone::registerDialects(mlir::DialectRegistry &registry) {
  registry.insert<onnx::OnnxDialect, lowbit::LowbitDialect, kernel::KernelDialect>();
}

void halftone::registerPasses() {}
