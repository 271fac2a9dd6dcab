// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Derived weights leave functions for their callers, where the weights have names.
#pragma once

#include "dialects/lowbit/Lowbit.h"

namespace halftone::quantize {

/// Moves each derivation of an argument to the callers of its function until all derive named weights. The derived
/// weight takes the matrix's place among the arguments when nothing else reads that, a new last one otherwise;
/// arguments that nothing reads any more go. Fails at a derivation of an argument that no call gives.
mlir::LogicalResult hoistDerivations(mlir::ModuleOp module);

} // namespace halftone::quantize
