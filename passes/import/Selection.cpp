// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators that put elements together from several places: joined, gathered, repeated, chosen.
#include "passes/import/Move.h"

using namespace mlir;
using namespace halftone::importer;

Moves halftone::importer::concat(const Call &call) {
  SmallVector<int64_t> shape(call.input(0).shape);
  auto axis = normalizeAxis(parameter(call.node, "axis", int64_t(0)), shape.size());
  if (!axis)
    return std::nullopt;
  SmallVector<int64_t> blocks; // elements that each input gives in one go
  shape[*axis] = 0;
  for (const Tensor *input : call.inputs) {
    if (!input || input->shape.size() != shape.size())
      return std::nullopt;
    for (auto [i, size] : llvm::enumerate(input->shape))
      if (static_cast<int64_t>(i) != *axis && size != shape[i])
        return std::nullopt;
    shape[*axis] += input->shape[*axis];
    blocks.push_back(strides(input->shape)[*axis] * input->shape[*axis]);
  }
  int64_t outer = 1;
  for (int64_t i = 0; i < *axis; ++i)
    outer *= shape[i];
  return oneMove(shape, [outer, blocks] {
    std::vector<Source> sources;
    for (int64_t o = 0; o < outer; ++o)
      for (auto [input, block] : llvm::enumerate(blocks))
        for (int64_t i = 0; i < block; ++i)
          sources.push_back(static_cast<int64_t>(input) << inputShift | (o * block + i));
    return sources;
  });
}

Moves halftone::importer::gather(const Call &call) {
  const Tensor &input = call.input(0), &indices = call.input(1);
  auto axis = normalizeAxis(parameter(call.node, "axis", int64_t(0)), input.shape.size());
  if (!axis)
    return std::nullopt;
  SmallVector<int64_t> shape(input.shape.begin(), input.shape.begin() + *axis);
  shape.append(indices.shape.begin(), indices.shape.end());
  shape.append(input.shape.begin() + *axis + 1, input.shape.end());
  if (indices.content != Tensor::Content::Integers)
    return oneMove(shape, nullptr);
  int64_t size = input.shape[*axis], inner = strides(input.shape)[*axis], outer = 1;
  for (int64_t index : indices.integers)
    if (index < -size || index >= size)
      return std::nullopt;
  for (int64_t i = 0; i < *axis; ++i)
    outer *= input.shape[i];
  return oneMove(shape, [=, rows = indices.integers] {
    std::vector<Source> sources;
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t row : rows)
        for (int64_t i = 0; i < inner; ++i)
          sources.push_back((o * size + (row < 0 ? row + size : row)) * inner + i);
    return sources;
  });
}

Moves halftone::importer::gatherND(const Call &call) {
  const Tensor &input = call.input(0), &indices = call.input(1);
  if (parameter(call.node, "batch_dims", int64_t(0)) != 0 || indices.shape.empty() ||
      indices.shape.back() > static_cast<int64_t>(input.shape.size()))
    return std::nullopt;
  int64_t depth = indices.shape.back();
  SmallVector<int64_t> shape(indices.shape.begin(), indices.shape.end() - 1);
  shape.append(input.shape.begin() + depth, input.shape.end());
  if (indices.content != Tensor::Content::Integers || depth == 0)
    return oneMove(shape, nullptr);
  std::vector<int64_t> starts;
  SmallVector<int64_t> steps = strides(input.shape);
  for (size_t i = 0; i < indices.integers.size(); i += depth) {
    int64_t start = 0;
    for (int64_t k = 0; k < depth; ++k) {
      int64_t index = indices.integers[i + k], size = input.shape[k];
      if (index < -size || index >= size)
        return std::nullopt;
      start += (index < 0 ? index + size : index) * steps[k];
    }
    starts.push_back(start);
  }
  return oneMove(shape, [starts, inner = steps[depth - 1]] {
    std::vector<Source> sources;
    for (int64_t start : starts)
      for (int64_t i = 0; i < inner; ++i)
        sources.push_back(start + i);
    return sources;
  });
}

Moves halftone::importer::tile(const Call &call) {
  auto repeats = call.integers(1, "repeats");
  const Tensor &input = call.input(0);
  if (!repeats || repeats->size() != input.shape.size())
    return std::nullopt;
  SmallVector<int64_t> shape;
  for (auto [size, count] : llvm::zip(input.shape, *repeats)) {
    shape.push_back(size * count);
    if (count < 0 || shape.back() > mostElements)
      return std::nullopt;
  }
  return oneMove(shape, [shape, own = input.shape] {
    std::vector<Source> sources(positions(shape, strides(shape)));
    SmallVector<int64_t> steps = strides(shape), ownSteps = strides(own);
    for (Source &source : sources) {
      int64_t index = 0;
      for (size_t i = 0; i < own.size(); ++i)
        index += source / steps[i] % shape[i] % own[i] * ownSteps[i];
      source = index;
    }
    return sources;
  });
}

Moves halftone::importer::trilu(const Call &call) {
  const Tensor &input = call.input(0);
  if (input.shape.size() < 2 || (call.has(1) && !call.input(1).isIntegerScalar()))
    return std::nullopt;
  int64_t diagonal = call.has(1) ? call.input(1).integers[0] : 0;
  bool upper = parameter(call.node, "upper", int64_t(1));
  int64_t rows = input.shape[input.shape.size() - 2], columns = input.shape.back(), count = input.elements();
  return oneMove(input.shape, [=] {
    std::vector<Source> sources(positions({count}, {1}));
    for (Source &source : sources) {
      int64_t column = source % columns, row = source / columns % rows;
      if (upper ? column - row < diagonal : column - row > diagonal)
        source = zero;
    }
    return sources;
  });
}

/// Where the condition is known, the element of the one or the other.
Moves halftone::importer::where(const Call &call) {
  const Tensor &condition = call.input(0);
  SmallVector<int64_t> both, shape;
  if (!broadcast(call.input(1).shape, call.input(2).shape, both) || !broadcast(condition.shape, both, shape))
    return std::nullopt;
  if (condition.content != Tensor::Content::Integers)
    return oneMove(shape, nullptr);
  return oneMove(shape, [=, chosen = condition.integers, conditionSteps = broadcastStrides(condition.shape, shape),
                         thenSteps = broadcastStrides(call.input(1).shape, shape),
                         elseSteps = broadcastStrides(call.input(2).shape, shape)] {
    std::vector<int64_t> from = positions(shape, conditionSteps), then = positions(shape, thenSteps),
                         otherwise = positions(shape, elseSteps);
    for (size_t i = 0; i < from.size(); ++i)
      from[i] = chosen[from[i]] ? int64_t(1) << inputShift | then[i] : int64_t(2) << inputShift | otherwise[i];
    return from;
  });
}
