// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rotary embedding and attention as tensors: parts, products, a loop over heads.
#include "passes/calibrate/SequenceHeads.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;
using function::shapeOf;
using function::TensorBuilder;

Value calibrate::rotate(TensorBuilder &b, RopeOp rope, Value input, Value cos, Value sin) {
  const int64_t tokens = shapeOf(input)[0], heads = static_cast<int64_t>(rope.getHeads());
  const int64_t size = shapeOf(input)[1] / heads, pairs = shapeOf(cos)[1];
  Value all = b.reshape(input, {tokens, heads, size});
  // The two of a pair stand along one axis of a tensor of four dimensions.
  const int64_t axis = rope.getInterleaved() ? 3 : 2;
  const SmallVector<int64_t> split = rope.getInterleaved() ? SmallVector<int64_t>{tokens, heads, pairs, 2}
                                                           : SmallVector<int64_t>{tokens, heads, 2, pairs};
  Value turned = b.reshape(b.part(all, 2, 0, 2 * pairs), split);
  auto table = [&](Value whole) {
    SmallVector<int64_t> shape{tokens, 1, pairs, pairs};
    shape[axis] = 1;
    return b.reshape(b.part(whole, 0, 0, tokens), shape);
  };
  Value x = b.part(turned, axis, 0, 1), y = b.part(turned, axis, 1, 1), c = table(cos), s = table(sin);
  Value first = b.subtract(b.multiply(x, c), b.multiply(y, s));
  Value second = b.add(b.multiply(y, c), b.multiply(x, s));
  Value result = b.reshape(b.concat({first, second}, axis), {tokens, heads, 2 * pairs});
  if (2 * pairs < size)
    result = b.concat({result, b.part(all, 2, 2 * pairs, size - 2 * pairs)}, 2);
  return b.reshape(result, {tokens, heads * size});
}

/// `count` columns of `matrix` from column `first` on.
static Value columns(TensorBuilder &b, Value matrix, Value first, int64_t count) {
  auto number = [&](int64_t value) -> OpFoldResult { return b.builder.getIndexAttr(value); };
  const OpFoldResult offsets[] = {number(0), first}, sizes[] = {number(shapeOf(matrix)[0]), number(count)},
                     strides[] = {number(1), number(1)};
  return b.make<tensor::ExtractSliceOp>(matrix, ArrayRef(offsets), ArrayRef(sizes), ArrayRef(strides));
}

static Value withColumns(TensorBuilder &b, Value into, Value first, Value part) {
  auto number = [&](int64_t value) -> OpFoldResult { return b.builder.getIndexAttr(value); };
  const OpFoldResult offsets[] = {number(0), first}, sizes[] = {number(shapeOf(part)[0]), number(shapeOf(part)[1])},
                     strides[] = {number(1), number(1)};
  return b.make<tensor::InsertSliceOp>(part, into, ArrayRef(offsets), ArrayRef(sizes), ArrayRef(strides));
}

/// scale * scores where a token may look, minus infinity at those after it.
static Value masked(TensorBuilder &b, Value scores, double scale) {
  return b.generate(b.builder.getF32Type(), shapeOf(scores), [&](TensorBuilder &e, ValueRange at) {
    Value score = e.make<arith::MulFOp>(e.read(scores, at), e.number(e.builder.getF32Type(), scale));
    Value isSeen = e.make<arith::CmpIOp>(arith::CmpIPredicate::ule, at[1], at[0]);
    Value nothing = e.number(e.builder.getF32Type(), -std::numeric_limits<double>::infinity());
    return e.make<arith::SelectOp>(isSeen, score, nothing);
  });
}

Value calibrate::attend(TensorBuilder &b, AttentionOp attention, Value queries, Value keys, Value values) {
  const int64_t tokens = shapeOf(queries)[0], heads = static_cast<int64_t>(attention.getHeads());
  const int64_t size = shapeOf(queries)[1] / heads, shared = heads / attention.getCache().getType().getHeads();
  const double scale = attention.getScale().convertToDouble();
  Value start = b.empty(b.builder.getF32Type(), {tokens, heads * size});
  auto loop = scf::ForOp::create(
      b.builder, b.loc, b.index(0), b.index(heads), b.index(1), ValueRange(start),
      [&](OpBuilder &inner, Location loc, Value head, ValueRange results) {
        TensorBuilder e(inner, loc);
        Value first = e.make<arith::MulIOp>(head, e.index(size));
        Value firstShared = e.make<arith::MulIOp>(e.make<arith::DivUIOp>(head, e.index(shared)), e.index(size));
        Value scores = e.product(columns(e, queries, first, size), columns(e, keys, firstShared, size), true);
        Value weights = e.softmax(masked(e, scores, scale), 1);
        Value part = e.product(weights, columns(e, values, firstShared, size));
        scf::YieldOp::create(inner, loc, withColumns(e, results[0], first, part));
      });
  return loop.getResult(0);
}
