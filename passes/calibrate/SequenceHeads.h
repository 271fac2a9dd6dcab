// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The operations on heads, for a whole sequence of known length.
#pragma once

#include "dialects/lowbit/Lowbit.h"
#include "passes/function/TensorBuilder.h"

namespace halftone::calibrate {

/// Rotary embedding of `input` [tokens, channels]; token t stands at position t of the tables.
mlir::Value rotate(function::TensorBuilder &b, lowbit::RopeOp rope, mlir::Value input, mlir::Value cos,
                   mlir::Value sin);

/// Causal attention of a sequence over itself: one head after the other, so that memory holds the scores of one.
mlir::Value attend(function::TensorBuilder &b, lowbit::AttentionOp attention, mlir::Value queries, mlir::Value keys,
                   mlir::Value values);

} // namespace halftone::calibrate
