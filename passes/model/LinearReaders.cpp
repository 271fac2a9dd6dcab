// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Inputs are the same when all values are.
#include "passes/model/LinearReaders.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>

namespace halftone {

/// What all linears with this weight read.
static LinearInputs inputsOf(const onnx::LinearWeight &weight) {
  LinearInputs inputs = {weight.columns, {}};
  for (const onnx::Linear &linear : weight.linears) {
    const auto *transposed = linear.node->get<int64_t>("transA");
    inputs.values.push_back({linear.node->inputs[0], transposed && *transposed != 0});
  }
  std::ranges::sort(inputs.values);
  inputs.values.erase(std::ranges::unique(inputs.values).begin(), inputs.values.end());
  return inputs;
}

std::vector<LinearReaders> findReaders(std::span<const WeightToCode> weights) {
  std::vector<LinearReaders> all;
  for (const auto &[index, weight] : llvm::enumerate(weights)) {
    LinearInputs inputs = inputsOf(*weight.weight);
    auto found = llvm::find_if(all, [&](const LinearReaders &readers) { return readers.inputs == inputs; });
    if (found == all.end())
      found = all.insert(all.end(), {std::move(inputs), {}});
    found->weights.push_back(index);
  }
  return all;
}

} // namespace halftone
