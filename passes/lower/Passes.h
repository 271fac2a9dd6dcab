// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of the lower stage; Passes.td describes them.
#pragma once

#include "dialects/kernel/Kernel.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace halftone {
#define GEN_PASS_DECL
#include "passes/lower/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/lower/Passes.h.inc"

struct LowerOptions {
  /// The file that pack-weights writes.
  std::string segment;
  /// Lowers to plain loops over unpacked weights, the oracle, instead of to kernels.
  bool reference = false;
};

/// The passes of the stage in order.
void addLowerPasses(mlir::OpPassManager &passes, const LowerOptions &options);
} // namespace halftone
