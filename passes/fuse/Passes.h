// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of the fuse stage; Passes.td describes them.
#pragma once

#include "dialects/lowbit/Lowbit.h"

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace halftone {
#define GEN_PASS_DECL
#include "passes/fuse/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/fuse/Passes.h.inc"

struct FuseOptions {
  /// Most tokens of a prefill or score call.
  int64_t chunk = 256;
  /// One kernel per operation, for the reference lowering.
  bool separate = false;
};

/// The passes of the stage in order.
void addFusePasses(mlir::OpPassManager &passes, const FuseOptions &options);
} // namespace halftone
