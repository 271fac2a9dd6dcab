// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators that move elements without looking at them. Shapes of results come from the importer's evaluator.
#include "passes/function/Conversion.h"

#include <algorithm>
#include <limits>

using namespace mlir;
using namespace halftone;
using namespace halftone::function;

/// Reshape and its kin: the same elements in the same order.
static Results sameElements(Conversion &c) {
  if (!c.shapes[0])
    return c.fail("its shape depends on values that are known only when the graph runs");
  return SmallVector<Value, 2>{c.b.reshape(c.input(0), *c.shapes[0])};
}

/// The mask of Dropout, which nobody reads when a graph only runs, is all true.
static Results dropout(Conversion &c) {
  return SmallVector<Value, 2>{c.input(0), c.b.filled(c.b.builder.getI1Type(), shapeOf(c.input(0)), 1)};
}

static Results expand(Conversion &c) {
  if (!c.shapes[0])
    return c.fail("its shape depends on values that are known only when the graph runs");
  return SmallVector<Value, 2>{c.b.expand(c.input(0), *c.shapes[0])};
}

static Results transpose(Conversion &c) {
  auto order = importer::listParameter(c.node, "perm");
  if (!order)
    order = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, rankOf(c.input(0)))));
  if (!c.shapes[0])
    return c.fail("perm does not fit " + Twine(rankOf(c.input(0))) + " dimensions");
  return SmallVector<Value, 2>{c.b.transpose(c.input(0), *order)};
}

static Results slice(Conversion &c) {
  Value x = c.input(0);
  auto starts = c.integers(1, "starts"), axes = c.integers(3, "axes"), steps = c.integers(4, "steps");
  if (!starts || !c.shapes[0] || (c.has(3) && !axes) || (c.has(4) && !steps))
    return c.fail("its bounds depend on values that are known only when the graph runs");
  SmallVector<int64_t> from(rankOf(x), 0), by(rankOf(x), 1);
  for (auto [i, start] : llvm::enumerate(*starts)) {
    const int64_t at = *c.axis(axes ? (*axes)[i] : static_cast<int64_t>(i), rankOf(x)), size = shapeOf(x)[at];
    if ((*c.shapes[0])[at] == 0)
      continue;
    const int64_t step = steps ? (*steps)[i] : 1;
    from[at] = std::clamp<int64_t>(start < 0 ? start + size : start, 0, step > 0 ? size : size - 1);
    by[at] = (*c.shapes[0])[at] == 1 ? 1 : step; // one element has no neighbour, which may lie at any distance
  }
  return SmallVector<Value, 2>{c.b.slice(x, from, *c.shapes[0], by)};
}

static Results split(Conversion &c) {
  auto axis = c.axis(c.parameter("axis", int64_t(0)), rankOf(c.input(0)));
  int64_t start = 0;
  SmallVector<Value, 2> parts;
  for (const auto &shape : c.shapes) {
    if (!axis || !shape)
      return c.fail("the parts do not fit the input");
    parts.push_back(c.b.part(c.input(0), *axis, start, (*shape)[*axis]));
    start += (*shape)[*axis];
  }
  return parts;
}

static Results concat(Conversion &c) {
  auto axis = c.axis(c.parameter("axis", int64_t(0)), rankOf(c.input(0)));
  if (!axis || !c.shapes[0])
    return c.fail("the inputs' shapes do not fit");
  return SmallVector<Value, 2>{c.b.concat(c.inputs, *axis)};
}

static Results tile(Conversion &c) {
  Value x = c.input(0);
  if (!c.shapes[0])
    return c.fail("its shape depends on values that are known only when the graph runs");
  return SmallVector<Value, 2>{c.b.generate(elementOf(x), *c.shapes[0], [&](TensorBuilder &b, ValueRange at) {
    SmallVector<Value> from;
    for (auto [coordinate, size] : llvm::zip(at, shapeOf(x)))
      from.push_back(b.make<arith::RemUIOp>(coordinate, b.index(size)));
    return b.read(x, from);
  })};
}

static bool isAmount(int64_t given) { return given >= 0 && given <= std::numeric_limits<int32_t>::max(); }

static Results pad(Conversion &c) {
  Value x = c.input(0);
  const int64_t rank = rankOf(x);
  auto amounts = c.integers(1, "pads"), axes = c.integers(3, "axes");
  if (c.parameter("mode", StringRef("constant")) != "constant")
    return c.fail("mode '" + c.parameter("mode", StringRef("")) + "' is not supported");
  if (!amounts || (c.has(3) && !axes))
    return c.fail("its amounts depend on values that are known only when the graph runs");
  SmallVector<int64_t> before(rank, 0), after(rank, 0);
  const size_t count = amounts->size() / 2;
  if (amounts->size() != 2 * (axes ? axes->size() : static_cast<size_t>(rank)))
    return c.fail(Twine(amounts->size()) + " amounts for " + Twine(axes ? axes->size() : rank) + " axes");
  for (size_t i = 0; i < count; ++i) {
    auto axis = c.axis(axes ? (*axes)[i] : static_cast<int64_t>(i), rank);
    if (!axis || !isAmount((*amounts)[i]) || !isAmount((*amounts)[count + i]))
      return c.fail("amounts below zero, or too large ones, are not supported");
    before[*axis] = (*amounts)[i];
    after[*axis] = (*amounts)[count + i];
  }
  if (!c.has(2))
    return SmallVector<Value, 2>{c.b.pad(x, before, after, c.parameter("value", 0.0f))};
  if (failed(c.expectOne(2)))
    return failure();
  return SmallVector<Value, 2>{c.b.pad(x, before, after, c.b.read(c.b.reshape(c.input(2), {}), {}))};
}

static Results trilu(Conversion &c) {
  Value x = c.input(0);
  if (rankOf(x) < 2)
    return c.fail("a tensor of " + Twine(rankOf(x)) + " dimensions has no triangle");
  auto given = c.integers(1, "");
  if (c.has(1) && (!given || given->size() != 1))
    return c.fail("the diagonal is known only when the graph runs");
  const int64_t diagonal = given ? given->front() : 0;
  const bool isUpper = c.parameter("upper", int64_t(1));
  return SmallVector<Value, 2>{c.b.generate(elementOf(x), shapeOf(x), [&](TensorBuilder &b, ValueRange at) -> Value {
    Value distance = b.make<arith::SubIOp>(at.back(), at[at.size() - 2]);
    auto isKept = isUpper ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sle;
    return b.make<arith::SelectOp>(b.make<arith::CmpIOp>(isKept, distance, b.index(diagonal)), b.read(x, at),
                                   b.number(elementOf(x), 0));
  })};
}

ArrayRef<Operator> halftone::function::movementOperators() {
  static constexpr Operator table[] = {
      {"", "Concat", 4, 1, concat},
      {"", "Dropout", 7, 1, dropout},
      {"", "Expand", 8, 2, expand},
      {"", "Flatten", 1, 1, sameElements},
      {"", "Identity", 1, 1, sameElements},
      {"", "Pad", 2, 1, pad},
      {"", "Reshape", 5, 2, sameElements},
      {"", "Slice", 10, 3, slice},
      {"", "Split", 2, 1, split},
      {"", "Squeeze", 1, 1, sameElements},
      {"", "Tile", 6, 2, tile},
      {"", "Transpose", 1, 1, transpose},
      {"", "Trilu", 14, 1, trilu},
      {"", "Unsqueeze", 1, 1, sameElements},
  };
  return table;
}
