// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Giving a weight that is wanted in several formats one name for each.
#pragma once

#include "dialects/lowbit/Lowbit.h"

namespace halftone::quantize {

/// The readers that want `weight` in the format of the first one keep it; those of each other format read a copy of its
/// name, `<weight>.untied`. Fails when a call hands one handle to readers of two formats.
mlir::LogicalResult untie(lowbit::WeightOp weight);

} // namespace halftone::quantize
