// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of the prepare stage; Passes.td describes them.
#pragma once

#include "dialects/lowbit/Lowbit.h"

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace halftone {
#define GEN_PASS_DECL
#include "passes/prepare/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/prepare/Passes.h.inc"

struct PrepareOptions {
  /// Whether norms give their scales to the linears that read them.
  bool foldNormScale = false;
  /// Whether the residual stream and the values of heads are rotated; folds norms' scales too.
  bool rotate = false;
};

/// The passes of the stage in order.
void addPreparePasses(mlir::OpPassManager &passes, const PrepareOptions &options);
} // namespace halftone
