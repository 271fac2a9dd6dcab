// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The list of the project's dialects and stages.
#include "passes/Register.h"

#include "dialects/kernel/Kernel.h"
#include "dialects/lowbit/Lowbit.h"
#include "dialects/onnx/Onnx.h"
#include "passes/calibrate/Passes.h"
#include "passes/codegen/Passes.h"
#include "passes/function/Passes.h"
#include "passes/fuse/Passes.h"
#include "passes/import/Passes.h"
#include "passes/lower/Passes.h"
#include "passes/package/Passes.h"
#include "passes/prepare/Passes.h"
#include "passes/quantize/Passes.h"

void halftone::registerDialects(mlir::DialectRegistry &registry) {
  registry.insert<onnx::OnnxDialect, lowbit::LowbitDialect, kernel::KernelDialect>();
  registerFunctionDialects(registry);
}

void halftone::registerPasses() {
  registercalibratePasses();
  registercodegenPasses();
  registerfunctionPasses();
  registerfusePasses();
  registerlowerPasses();
  registerimportPasses();
  registerImportPipeline();
  registerpackagePasses();
  registerpreparePasses();
  registerquantizePasses();
}
