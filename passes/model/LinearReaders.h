// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which weights meet the same inputs.
#pragma once

#include "passes/model/CodeWeights.h"
#include "passes/model/LinearInputs.h"

namespace halftone {

/// Weights, by their places, whose linears read the same inputs.
struct LinearReaders {
  LinearInputs inputs;
  std::vector<size_t> weights;
};

/// All of `weights` by their inputs, in the order of the first that reads them.
std::vector<LinearReaders> findReaders(std::span<const WeightToCode> weights);

} // namespace halftone
