// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where a weight stood before it was quantized, kept on it until the quantize stage ends.
#pragma once

#include "dialects/lowbit/Lowbit.h"

namespace halftone::lowbit {

/// Notes type and place of `weight` on it, before both change.
void noteOriginal(WeightOp weight);
/// Gives `weight` the type and place that were noted; false when none were.
bool restoreOriginal(WeightOp weight);
void forgetOriginal(WeightOp weight);

} // namespace halftone::lowbit
