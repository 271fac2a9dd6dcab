// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators that choose elements by indices.
#include "passes/function/Conversion.h"

#include <limits>

using namespace mlir;
using namespace halftone::function;

static Results gather(Conversion &c) {
  Value data = c.input(0), indices = c.input(1);
  auto axis = c.axis(c.parameter("axis", int64_t(0)), rankOf(data));
  if (!axis)
    return c.fail("axis " + Twine(c.parameter("axis", int64_t(0))) + " of " + Twine(rankOf(data)) + " dimensions");
  if (failed(c.expectIndices(indices, shapeOf(data)[*axis])))
    return failure();
  SmallVector<int64_t> shape(shapeOf(data).take_front(*axis));
  shape.append(shapeOf(indices).begin(), shapeOf(indices).end());
  llvm::append_range(shape, shapeOf(data).drop_front(*axis + 1));
  return SmallVector<Value, 2>{c.b.generate(elementOf(data), shape, [&](TensorBuilder &b, ValueRange at) {
    SmallVector<Value> from(at.take_front(*axis));
    from.push_back(b.place(b.read(indices, at.slice(*axis, rankOf(indices))), shapeOf(data)[*axis]));
    llvm::append_range(from, at.drop_front(*axis + rankOf(indices)));
    return b.read(data, from);
  })};
}

static Results gatherElements(Conversion &c) {
  Value data = c.input(0), indices = c.input(1);
  auto axis = c.axis(c.parameter("axis", int64_t(0)), rankOf(data));
  if (!axis || rankOf(indices) != rankOf(data))
    return c.fail("indices of " + Twine(rankOf(indices)) + " dimensions for data of " + Twine(rankOf(data)));
  for (int64_t i = 0; i < rankOf(data); ++i)
    if (i != *axis && shapeOf(indices)[i] > shapeOf(data)[i])
      return c.fail(Twine(shapeOf(indices)[i]) + " indices for " + Twine(shapeOf(data)[i]) + " elements");
  if (failed(c.expectIndices(indices, shapeOf(data)[*axis])))
    return failure();
  return SmallVector<Value, 2>{c.b.generate(elementOf(data), shapeOf(indices), [&](TensorBuilder &b, ValueRange at) {
    SmallVector<Value> from(at);
    from[*axis] = b.place(b.read(indices, at), shapeOf(data)[*axis]);
    return b.read(data, from);
  })};
}

static Results gatherND(Conversion &c) {
  Value data = c.input(0), indices = c.input(1);
  const int64_t batch = c.parameter("batch_dims", int64_t(0)), rank = rankOf(indices);
  const int64_t depth = rank == 0 ? 0 : shapeOf(indices).back();
  if (rank == 0 || batch < 0 || batch >= rank || batch + depth > rankOf(data) ||
      shapeOf(indices).take_front(batch) != shapeOf(data).take_front(batch))
    return c.fail("indices of depth " + Twine(depth) + " for data of " + Twine(rankOf(data)) + " dimensions");
  for (int64_t k = 0; k < depth; ++k)
    if (failed(c.expectIndices(c.b.part(indices, rank - 1, k, 1), shapeOf(data)[batch + k])))
      return failure();
  SmallVector<int64_t> shape(shapeOf(indices).drop_back());
  llvm::append_range(shape, shapeOf(data).drop_front(batch + depth));
  return SmallVector<Value, 2>{c.b.generate(elementOf(data), shape, [&](TensorBuilder &b, ValueRange at) {
    SmallVector<Value> from(at.take_front(batch)), which(at.take_front(rank - 1));
    which.push_back({});
    for (int64_t k = 0; k < depth; ++k) {
      which.back() = b.index(k);
      from.push_back(b.place(b.read(indices, which), shapeOf(data)[batch + k]));
    }
    llvm::append_range(from, at.drop_front(rank - 1));
    return b.read(data, from);
  })};
}

static Results oneHot(Conversion &c) {
  Value indices = c.input(0), values = c.input(2);
  const auto depth = c.number(1);
  const int64_t rank = rankOf(indices);
  auto axis = c.axis(c.parameter("axis", int64_t(-1)), rank + 1);
  if (!depth || *depth < 0 || *depth > std::numeric_limits<int32_t>::max() || !axis)
    return c.fail("its depth is known only when the graph runs, or out of range");
  if (failed(c.expectShape(2, 2)))
    return failure();
  SmallVector<int64_t> shape(shapeOf(indices));
  shape.insert(shape.begin() + *axis, static_cast<int64_t>(*depth));
  return SmallVector<Value, 2>{c.b.generate(elementOf(values), shape, [&](TensorBuilder &b, ValueRange at) {
    SmallVector<Value> which(at);
    which.erase(which.begin() + *axis);
    Value given = b.convert(b.read(indices, which), b.builder.getIndexType());
    Value isBelow = b.make<arith::CmpIOp>(arith::CmpIPredicate::slt, given, b.index(0));
    Value wrapped =
        b.make<arith::SelectOp>(isBelow, b.make<arith::AddIOp>(given, b.index(static_cast<int64_t>(*depth))), given);
    Value isOne = b.make<arith::CmpIOp>(arith::CmpIPredicate::eq, wrapped, at[*axis]);
    return b.make<arith::SelectOp>(isOne, b.read(values, b.index(1)), b.read(values, b.index(0)));
  })};
}

ArrayRef<Operator> halftone::function::selectionOperators() {
  static constexpr Operator table[] = {
      {"", "Gather", 1, 2, gather},
      {"", "GatherElements", 11, 2, gatherElements},
      {"", "GatherND", 11, 2, gatherND},
      {"", "OneHot", 9, 3, oneHot, /*like=*/2},
  };
  return table;
}
