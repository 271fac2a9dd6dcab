// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators that only move elements. Each says, for every element of its result, which element of which input it is;
// integers, floats and linear forms then move alike.
#include "passes/import/Move.h"

using namespace mlir;
using namespace halftone::importer;

static Moves one(ArrayRef<int64_t> shape, std::function<std::vector<Source>()> sources) {
  return SmallVector<Move, 1>{Move{SmallVector<int64_t>(shape), std::move(sources)}};
}

/// The same elements in the same order under another shape.
static Moves reshaped(const Tensor &input, ArrayRef<int64_t> shape) {
  int64_t count = input.elements();
  if (count != Tensor::ofShape(input.elementType, shape).elements())
    return std::nullopt;
  return one(shape, [count] { return positions({count}, {1}); });
}

/// A view: element at coordinates c is input element base + c * steps.
static Moves strided(ArrayRef<int64_t> shape, ArrayRef<int64_t> steps, int64_t base = 0) {
  return one(shape, [shape = SmallVector<int64_t>(shape), steps = SmallVector<int64_t>(steps), base] {
    return positions(shape, steps, base);
  });
}

std::optional<int64_t> halftone::importer::normalizeAxis(int64_t axis, size_t rank) {
  int64_t normal = axis < 0 ? axis + static_cast<int64_t>(rank) : axis;
  if (normal < 0 || normal >= static_cast<int64_t>(rank))
    return std::nullopt;
  return normal;
}

std::optional<SmallVector<int64_t>> Call::integers(size_t i, StringRef name) const {
  if (has(i)) {
    if (input(i).content != Tensor::Content::Integers)
      return std::nullopt;
    return SmallVector<int64_t>(ArrayRef(input(i).integers));
  }
  return listParameter(node, name);
}

//===-- Shapes ----------------------------------------------------------------------------------------------------===//

static Moves identity(const Call &call) { return reshaped(call.input(0), call.input(0).shape); }

static Moves reshape(const Call &call) {
  auto target = call.integers(1, "shape");
  if (!target)
    return std::nullopt;
  const Tensor &input = call.input(0);
  bool copiesZero = parameter(call.node, "allowzero", int64_t(0)) == 0;
  int64_t known = 1, hole = -1;
  for (auto [i, size] : llvm::enumerate(*target)) {
    if (size == 0 && copiesZero)
      size = i < input.shape.size() ? input.shape[i] : 0;
    if (size == -1)
      hole = i;
    else
      known *= size;
  }
  if (hole >= 0)
    (*target)[hole] = known == 0 ? 0 : input.elements() / known;
  return reshaped(input, *target);
}

static Moves unsqueeze(const Call &call) {
  auto axes = call.integers(1, "axes");
  if (!axes)
    return std::nullopt;
  SmallVector<int64_t> shape(call.input(0).shape.size() + axes->size(), -1);
  for (int64_t axis : *axes) {
    auto normal = normalizeAxis(axis, shape.size());
    if (!normal || shape[*normal] == 1)
      return std::nullopt;
    shape[*normal] = 1;
  }
  size_t next = 0;
  for (int64_t &size : shape)
    if (size == -1)
      size = call.input(0).shape[next++];
  return reshaped(call.input(0), shape);
}

static Moves squeeze(const Call &call) {
  const Tensor &input = call.input(0);
  auto axes = call.integers(1, "axes");
  SmallVector<bool> drop(input.shape.size(), false);
  if (!axes)
    for (auto [i, size] : llvm::enumerate(input.shape))
      drop[i] = size == 1;
  else
    for (int64_t axis : *axes) {
      auto normal = normalizeAxis(axis, drop.size());
      if (!normal)
        return std::nullopt;
      drop[*normal] = true;
    }
  SmallVector<int64_t> shape;
  for (auto [i, size] : llvm::enumerate(input.shape))
    if (!drop[i])
      shape.push_back(size);
  return reshaped(input, shape);
}

static Moves flatten(const Call &call) {
  const Tensor &input = call.input(0);
  int64_t axis = parameter(call.node, "axis", int64_t(1)), rank = input.shape.size();
  axis = axis < 0 ? axis + rank : axis;
  if (axis < 0 || axis > rank)
    return std::nullopt;
  int64_t sizes[2] = {1, 1};
  for (int64_t i = 0; i < rank; ++i)
    sizes[i >= axis] *= input.shape[i];
  return reshaped(input, sizes);
}

//===-- Views -----------------------------------------------------------------------------------------------------===//

static Moves transpose(const Call &call) {
  const Tensor &input = call.input(0);
  auto order = listParameter(call.node, "perm");
  if (!order)
    order = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, input.shape.size())));
  if (order->size() != input.shape.size())
    return std::nullopt;
  SmallVector<int64_t> shape, steps, own(strides(input.shape));
  for (int64_t axis : *order) {
    if (axis < 0 || axis >= static_cast<int64_t>(own.size()))
      return std::nullopt;
    shape.push_back(input.shape[axis]);
    steps.push_back(own[axis]);
  }
  return strided(shape, steps);
}

static Moves expand(const Call &call) {
  auto target = call.integers(1, "shape");
  SmallVector<int64_t> shape;
  bool isShape = target && llvm::all_of(*target, [](int64_t size) { return size >= 0; });
  if (!isShape || !broadcast(call.input(0).shape, *target, shape))
    return std::nullopt;
  return strided(shape, broadcastStrides(call.input(0).shape, shape));
}

static Moves slice(const Call &call) {
  const Tensor &input = call.input(0);
  auto starts = call.integers(1, "starts"), ends = call.integers(2, "ends"), axes = call.integers(3, "axes"),
       steps = call.integers(4, "steps");
  if (!starts || !ends || starts->size() != ends->size() || (call.has(3) && !axes) || (call.has(4) && !steps) ||
      (axes && axes->size() != starts->size()) || (steps && steps->size() != starts->size()))
    return std::nullopt;
  SmallVector<int64_t> shape(input.shape), stride(strides(input.shape));
  int64_t base = 0;
  for (size_t i = 0; i < starts->size(); ++i) {
    auto axis = normalizeAxis(axes ? (*axes)[i] : i, shape.size());
    int64_t step = steps ? (*steps)[i] : 1;
    if (!axis || step == 0)
      return std::nullopt;
    int64_t size = input.shape[*axis], start = (*starts)[i], end = (*ends)[i];
    start = start < 0 ? start + size : start;
    end = end < -size ? -1 : end < 0 ? end + size : end;
    start = step > 0 ? std::clamp<int64_t>(start, 0, size) : std::clamp<int64_t>(start, 0, size - 1);
    end = std::clamp<int64_t>(end, step > 0 ? 0 : -1, size);
    int64_t count = step > 0 ? (end - start + step - 1) / step : (start - end - step - 1) / -step;
    shape[*axis] = std::max<int64_t>(count, 0);
    base += start * stride[*axis];
    stride[*axis] *= step;
  }
  return strided(shape, stride, base);
}

static Moves split(const Call &call) {
  const Tensor &input = call.input(0);
  auto axis = normalizeAxis(parameter(call.node, "axis", int64_t(0)), input.shape.size());
  if (!axis)
    return std::nullopt;
  int64_t size = input.shape[*axis], parts = call.node.getNumResults(), start = 0;
  auto sizes = call.integers(1, "split");
  if (call.has(1) && !sizes)
    return std::nullopt;
  if (!sizes) {
    int64_t chunk = (size + parts - 1) / parts;
    sizes.emplace(parts, chunk);
    sizes->back() = size - chunk * (parts - 1);
  }
  SmallVector<Move, 1> moves;
  SmallVector<int64_t> steps = strides(input.shape);
  for (int64_t part : *sizes) {
    SmallVector<int64_t> shape(input.shape);
    shape[*axis] = part;
    moves.push_back(strided(shape, steps, start * steps[*axis])->front());
    start += part;
  }
  if (start != size || static_cast<int64_t>(moves.size()) != parts)
    return std::nullopt;
  return moves;
}

//===-- Selections ------------------------------------------------------------------------------------------------===//

static Moves concat(const Call &call) {
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
  return one(shape, [outer, blocks] {
    std::vector<Source> sources;
    for (int64_t o = 0; o < outer; ++o)
      for (auto [input, block] : llvm::enumerate(blocks))
        for (int64_t i = 0; i < block; ++i)
          sources.push_back(static_cast<int64_t>(input) << inputShift | (o * block + i));
    return sources;
  });
}

static Moves gather(const Call &call) {
  const Tensor &input = call.input(0), &indices = call.input(1);
  auto axis = normalizeAxis(parameter(call.node, "axis", int64_t(0)), input.shape.size());
  if (!axis)
    return std::nullopt;
  SmallVector<int64_t> shape(input.shape.begin(), input.shape.begin() + *axis);
  shape.append(indices.shape.begin(), indices.shape.end());
  shape.append(input.shape.begin() + *axis + 1, input.shape.end());
  if (indices.content != Tensor::Content::Integers)
    return one(shape, nullptr);
  int64_t size = input.shape[*axis], inner = strides(input.shape)[*axis], outer = 1;
  for (int64_t index : indices.integers)
    if (index < -size || index >= size)
      return std::nullopt;
  for (int64_t i = 0; i < *axis; ++i)
    outer *= input.shape[i];
  return one(shape, [=, rows = indices.integers] {
    std::vector<Source> sources;
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t row : rows)
        for (int64_t i = 0; i < inner; ++i)
          sources.push_back((o * size + (row < 0 ? row + size : row)) * inner + i);
    return sources;
  });
}

static Moves gatherND(const Call &call) {
  const Tensor &input = call.input(0), &indices = call.input(1);
  if (parameter(call.node, "batch_dims", int64_t(0)) != 0 || indices.shape.empty() ||
      indices.shape.back() > static_cast<int64_t>(input.shape.size()))
    return std::nullopt;
  int64_t depth = indices.shape.back();
  SmallVector<int64_t> shape(indices.shape.begin(), indices.shape.end() - 1);
  shape.append(input.shape.begin() + depth, input.shape.end());
  if (indices.content != Tensor::Content::Integers || depth == 0)
    return one(shape, nullptr);
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
  return one(shape, [starts, inner = steps[depth - 1]] {
    std::vector<Source> sources;
    for (int64_t start : starts)
      for (int64_t i = 0; i < inner; ++i)
        sources.push_back(start + i);
    return sources;
  });
}

static Moves tile(const Call &call) {
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
  return one(shape, [shape, own = input.shape] {
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

static Moves trilu(const Call &call) {
  const Tensor &input = call.input(0);
  if (input.shape.size() < 2 || (call.has(1) && !call.input(1).isIntegerScalar()))
    return std::nullopt;
  int64_t diagonal = call.has(1) ? call.input(1).integers[0] : 0;
  bool upper = parameter(call.node, "upper", int64_t(1));
  int64_t rows = input.shape[input.shape.size() - 2], columns = input.shape.back(), count = input.elements();
  return one(input.shape, [=] {
    std::vector<Source> sources(positions({count}, {1}));
    for (Source &source : sources) {
      int64_t column = source % columns, row = source / columns % rows;
      if (upper ? column < row + diagonal : column > row + diagonal)
        source = zero;
    }
    return sources;
  });
}

/// Where the condition is known, the element of the one or the other.
static Moves where(const Call &call) {
  const Tensor &condition = call.input(0);
  SmallVector<int64_t> both, shape;
  if (!broadcast(call.input(1).shape, call.input(2).shape, both) || !broadcast(condition.shape, both, shape))
    return std::nullopt;
  if (condition.content != Tensor::Content::Integers)
    return one(shape, nullptr);
  return one(shape, [=, chosen = condition.integers, conditionSteps = broadcastStrides(condition.shape, shape),
                     thenSteps = broadcastStrides(call.input(1).shape, shape),
                     elseSteps = broadcastStrides(call.input(2).shape, shape)] {
    std::vector<int64_t> from = positions(shape, conditionSteps), then = positions(shape, thenSteps),
                         otherwise = positions(shape, elseSteps);
    for (size_t i = 0; i < from.size(); ++i)
      from[i] = chosen[from[i]] ? int64_t(1) << inputShift | then[i] : int64_t(2) << inputShift | otherwise[i];
    return from;
  });
}

//===-- The table -------------------------------------------------------------------------------------------------===//

template <Moves (*function)(const Call &), size_t firstData = 0> static Outputs evaluate(const Call &call) {
  Moves moves = function(call);
  auto isShape = [](const Move &move) { return llvm::all_of(move.shape, [](int64_t size) { return size >= 0; }); };
  if (!moves || !llvm::all_of(*moves, isShape))
    return std::nullopt;
  SmallVector<Tensor, 1> outputs;
  for (const Move &move : *moves)
    outputs.push_back(carryOut(move, call, firstData));
  return outputs;
}

ArrayRef<Operator> halftone::importer::movementOperators() {
  static constexpr Operator table[] = {
      {"Concat", evaluate<concat>},       {"Dropout", evaluate<identity>}, {"Expand", evaluate<expand>},
      {"Flatten", evaluate<flatten>},     {"Gather", evaluate<gather>},    {"GatherND", evaluate<gatherND>},
      {"Identity", evaluate<identity>},   {"Reshape", evaluate<reshape>},  {"Slice", evaluate<slice>},
      {"Split", evaluate<split>},         {"Squeeze", evaluate<squeeze>},  {"Tile", evaluate<tile>},
      {"Transpose", evaluate<transpose>}, {"Trilu", evaluate<trilu>},      {"Unsqueeze", evaluate<unsqueeze>},
      {"Where", evaluate<where, 1>},
  };
  return table;
}
