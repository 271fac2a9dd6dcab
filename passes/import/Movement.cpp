// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators that only change shapes or take views, and the table of all that only move elements. Each says, for every
// element of its result, which element of which input it is; integers, floats and linear forms then move alike.
#include "passes/import/Move.h"

using namespace mlir;
using namespace halftone::importer;

/// The same elements in the same order under another shape.
static Moves reshaped(const Tensor &input, ArrayRef<int64_t> shape) {
  int64_t count = input.elements();
  if (count != Tensor::ofShape(input.elementType, shape).elements())
    return std::nullopt;
  return oneMove(shape, [count] { return positions({count}, {1}); });
}

/// A view: element at coordinates c is input element base + c * steps.
static Moves strided(ArrayRef<int64_t> shape, ArrayRef<int64_t> steps, int64_t base = 0) {
  return oneMove(shape, [shape = SmallVector<int64_t>(shape), steps = SmallVector<int64_t>(steps), base] {
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
    start = std::max<int64_t>(std::min(start, step > 0 ? size : size - 1), 0);
    end = std::clamp<int64_t>(end, step > 0 ? 0 : -1, size);
    shape[*axis] = size == 0  ? 0
                   : step > 0 ? stepsBetween(start, end, step)
                              : stepsBetween(end, start, wrapSub(0, step));
    base += start * stride[*axis];
    stride[*axis] = wrapMul(stride[*axis], step); // unread where it has no room: then there is one element at most
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
