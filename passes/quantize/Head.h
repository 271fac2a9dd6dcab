// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The head of a decoder: the linear that makes the logits.
#pragma once

#include "dialects/lowbit/Lowbit.h"

namespace halftone::quantize {

/// The linears whose results become results of `forward`; empty when the module has no such function. A result has a
/// head when, going back from it through elementwise operations and calls, exactly one value comes from anything else,
/// and that from a linear; a residual sum has none. When a head is in a function that other calls use too, its own call
/// gets a clone, so that a decision about the head is about nothing else.
llvm::SmallVector<lowbit::LinearOp> isolateHeads(mlir::ModuleOp module);

} // namespace halftone::quantize
