// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Weights in the order in which the model computes with them.
#pragma once

#include "dialects/lowbit/Lowbit.h"

namespace halftone::lowbit {

/// The weights that linears read, through calls, from functions that no other calls: each once, where it is read first.
llvm::SmallVector<WeightOp> linearWeightsInOrder(mlir::ModuleOp module);

} // namespace halftone::lowbit
