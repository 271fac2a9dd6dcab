// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators that fold elements along axes, and those made of such folds.
#include "passes/function/Conversion.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace halftone::function;

//===-- Reduce... -------------------------------------------------------------------------------------------------===//

/// Folds `x` along `axes`, which stay with size 1.
using Fold = Value (*)(TensorBuilder &, Value x, ArrayRef<int64_t> axes);

static Value sum(TensorBuilder &b, Value x, ArrayRef<int64_t> axes) { return b.sum(x, axes); }
static Value mean(TensorBuilder &b, Value x, ArrayRef<int64_t> axes) { return b.mean(x, axes); }
static Value squares(TensorBuilder &b, Value x, ArrayRef<int64_t> axes) { return b.sum(b.multiply(x, x), axes); }
static Value length(TensorBuilder &b, Value x, ArrayRef<int64_t> axes) {
  return b.map(squares(b, x, axes), elementOf(x), [](TensorBuilder &s, ValueRange v) {
    const Type type = isa<FloatType>(v[0].getType()) ? v[0].getType() : s.builder.getF64Type();
    return s.convert(s.make<math::SqrtOp>(s.convert(v[0], type)), v[0].getType());
  });
}
template <class Float, class Integer, class Boolean = Integer> static Value step(TensorBuilder &b, ValueRange v) {
  if (v[0].getType().isInteger(1))
    return b.make<Boolean>(v[0], v[1]);
  return isa<FloatType>(v[0].getType()) ? b.make<Float>(v[0], v[1]) : b.make<Integer>(v[0], v[1]);
}
static constexpr double infinity = std::numeric_limits<double>::infinity();
static Value largest(TensorBuilder &b, Value x, ArrayRef<int64_t> axes) {
  return b.reduce(x, axes, -infinity, step<arith::MaximumFOp, arith::MaxSIOp, arith::OrIOp>);
}
static Value smallest(TensorBuilder &b, Value x, ArrayRef<int64_t> axes) {
  return b.reduce(x, axes, infinity, step<arith::MinimumFOp, arith::MinSIOp, arith::AndIOp>);
}
static Value product(TensorBuilder &b, Value x, ArrayRef<int64_t> axes) {
  return b.reduce(x, axes, 1, step<arith::MulFOp, arith::MulIOp>);
}

/// `result` without its axes of size 1, where the node wants that.
static Value withoutAxes(TensorBuilder &b, Value result, ArrayRef<int64_t> axes) {
  SmallVector<int64_t> shape;
  for (auto [i, size] : llvm::enumerate(shapeOf(result)))
    if (!llvm::is_contained(axes, static_cast<int64_t>(i)))
      shape.push_back(size);
  return b.reshape(result, shape);
}

template <Fold fold> static Results reduce(Conversion &c) {
  Value x = c.signedInput(0);
  x = c.b.cast(x, widened(elementOf(x)));
  auto given = c.integers(1, "axes");
  if (c.has(1) && !given)
    return c.fail("its axes are known only when the graph runs");
  SmallVector<int64_t> axes; // none: only what is done with single elements is done
  const bool isNamed = given && !given->empty();
  if (!isNamed && !c.parameter("noop_with_empty_axes", int64_t(0)))
    axes = llvm::to_vector(llvm::seq<int64_t>(0, rankOf(x)));
  if (isNamed)
    for (int64_t axis : *given) {
      auto normal = c.axis(axis, rankOf(x));
      if (!normal)
        return c.fail("axis " + Twine(axis) + " of " + Twine(rankOf(x)) + " dimensions");
      axes.push_back(*normal);
    }
  Value result = c.like(fold(c.b, x, axes), 0);
  return SmallVector<Value, 2>{c.parameter("keepdims", int64_t(1)) ? result : withoutAxes(c.b, result, axes)};
}

/// The place of the largest or smallest element: the first one of which none after it is `better`, or better or equal.
template <arith::CmpFPredicate floats, arith::CmpIPredicate integers, arith::CmpFPredicate lastFloats,
          arith::CmpIPredicate lastIntegers>
static Results argument(Conversion &c) {
  Value x = c.signedInput(0);
  auto axis = c.axis(c.parameter("axis", int64_t(0)), rankOf(x));
  if (!axis || shapeOf(x)[*axis] == 0)
    return c.fail("axis " + Twine(c.parameter("axis", int64_t(0))) + " of " + Twine(rankOf(x)) + " dimensions");
  const bool last = c.parameter("select_last_index", int64_t(0));
  const Type type = c.b.builder.getI64Type();
  Value places = c.b.generate(type, shapeOf(x), [&](TensorBuilder &b, ValueRange at) { return at[*axis]; });
  Value result = c.b.reduce(places, *axis, 0, [&](TensorBuilder &b, ValueRange v) -> Value {
    auto element = [&](Value place) {
      SmallVector<Value> at;
      for (int64_t i = 0; i < rankOf(x); ++i)
        at.push_back(i == *axis ? b.convert(place, b.builder.getIndexType()) : b.make<linalg::IndexOp>(i));
      return b.read(x, at);
    };
    Value best = element(v[0]), next = element(v[1]), isBetter;
    if (isa<FloatType>(best.getType()))
      isBetter = b.make<arith::CmpFOp>(last ? lastFloats : floats, next, best);
    else
      isBetter = b.make<arith::CmpIOp>(last ? lastIntegers : integers, next, best);
    return b.make<arith::SelectOp>(isBetter, v[1], v[0]);
  });
  return SmallVector<Value, 2>{c.parameter("keepdims", int64_t(1)) ? result : withoutAxes(c.b, result, *axis)};
}

//===-- Softmax ---------------------------------------------------------------------------------------------------===//

/// Along one axis; before opset 13 over all dimensions from the axis on.
static Results softmax(Conversion &c) {
  Value x = c.input(0);
  const bool isOld = c.node.getOpset() < 13;
  auto axis = c.axis(c.parameter("axis", int64_t(isOld ? 1 : -1)), rankOf(x));
  if (!axis)
    return c.fail("axis " + Twine(c.parameter("axis", int64_t(-1))) + " of " + Twine(rankOf(x)) + " dimensions");
  if (!isOld)
    return SmallVector<Value, 2>{c.b.softmax(x, *axis)};
  int64_t rows = 1, columns = 1;
  for (auto [i, size] : llvm::enumerate(shapeOf(x)))
    (static_cast<int64_t>(i) < *axis ? rows : columns) *= size;
  return SmallVector<Value, 2>{c.b.reshape(c.b.softmax(c.b.reshape(x, {rows, columns}), 1), shapeOf(x))};
}

//===-- Norms -----------------------------------------------------------------------------------------------------===//

/// x, gain and perhaps a bias; over all dimensions from the axis on.
template <bool centred> static Results norm(Conversion &c) {
  Value x = c.input(0);
  auto axis = c.axis(c.parameter("axis", int64_t(-1)), rankOf(x));
  if (!axis)
    return c.fail("axis " + Twine(c.parameter("axis", int64_t(-1))) + " of " + Twine(rankOf(x)) + " dimensions");
  if (c.wants(1) || c.wants(2))
    return c.fail("its mean and deviation as results are not supported");
  auto axes = llvm::to_vector(llvm::seq<int64_t>(*axis, rankOf(x)));
  return SmallVector<Value, 2>{c.b.normalize(x, axes, c.parameter("epsilon", 1e-5f), centred, c.input(1), c.input(2)),
                               Value(), Value()};
}

/// Adds what skips the layer before it normalizes; the sum is the fourth output. Inputs: x, skip, gain, then with
/// `centred` a shift, then a bias of the sum.
template <bool centred> static Results skipNorm(Conversion &c) {
  if (c.wants(1) || c.wants(2))
    return c.fail("its mean and deviation as results are not supported");
  const Type type = elementOf(c.input(0)), wide = widened(type);
  Value sum = c.b.add(c.b.cast(c.input(0), wide), c.b.cast(c.input(1), wide));
  if (Value bias = c.input(centred ? 4 : 3))
    sum = c.b.add(sum, c.b.cast(bias, wide));
  Value result = c.b.normalize(sum, rankOf(sum) - 1, c.parameter("epsilon", 1e-12f), centred, c.input(2),
                               centred ? c.input(3) : Value());
  return SmallVector<Value, 2>{c.b.cast(result, type), Value(), Value(), c.b.cast(sum, type)};
}

/// (x - mean) / sqrt(variance + epsilon) * gain + bias with statistics per channel that are inputs.
static Results batchNorm(Conversion &c) {
  Value x = c.input(0);
  if (c.parameter("training_mode", int64_t(0)))
    return c.fail("training is not supported");
  SmallVector<int64_t> shape(rankOf(x), 1);
  if (rankOf(x) < 2)
    return c.fail("the input has " + Twine(rankOf(x)) + " dimensions, at least 2 are needed");
  shape[1] = shapeOf(x)[1];
  SmallVector<Value> all = {x};
  for (size_t i = 1; i < 5; ++i)
    all.push_back(c.b.reshape(c.input(i), shape));
  const float epsilon = c.parameter("epsilon", 1e-5f);
  return SmallVector<Value, 2>{c.b.map(all, elementOf(x), [&](TensorBuilder &b, ValueRange v) -> Value {
    Value shifted = b.make<arith::AddFOp>(v[4], b.number(v[4].getType(), epsilon));
    Value scaled = b.make<arith::DivFOp>(b.make<arith::SubFOp>(v[0], v[3]), b.make<math::SqrtOp>(shifted));
    return b.make<arith::AddFOp>(b.make<arith::MulFOp>(scaled, v[1]), v[2]);
  })};
}

//===-- CumSum ----------------------------------------------------------------------------------------------------===//

/// Each element is a sum of its own: as many additions as the square of the axis' size, and no order among them.
static Results cumulativeSum(Conversion &c) {
  Value x = c.input(0);
  const int64_t rank = rankOf(x);
  auto given = c.number(1);
  auto axis = given ? c.axis(static_cast<int64_t>(*given), rank) : std::nullopt;
  if (!axis)
    return c.fail("its axis is known only when the graph runs");
  const bool exclusive = c.parameter("exclusive", int64_t(0)), reverse = c.parameter("reverse", int64_t(0));
  SmallVector<int64_t> spread(shapeOf(x)), order;
  spread.push_back(shapeOf(x)[*axis]);
  auto seen = exclusive ? (reverse ? arith::CmpIPredicate::sgt : arith::CmpIPredicate::slt)
                        : (reverse ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sle);
  Value parts = c.b.generate(elementOf(x), spread, [&](TensorBuilder &b, ValueRange at) -> Value {
    SmallVector<Value> from(at.drop_back());
    from[*axis] = at.back();
    return b.make<arith::SelectOp>(b.make<arith::CmpIOp>(seen, at.back(), at[*axis]), b.read(x, from),
                                   b.number(elementOf(x), 0));
  });
  return SmallVector<Value, 2>{c.b.reshape(c.b.sum(parts, rank), shapeOf(x))};
}

ArrayRef<Operator> halftone::function::reductionOperators() {
  using F = arith::CmpFPredicate;
  using I = arith::CmpIPredicate;
  static constexpr Operator table[] = {
      {"", "ArgMax", 1, 1, argument<F::OGT, I::sgt, F::OGE, I::sge>, /*like=*/-1},
      {"", "ArgMin", 1, 1, argument<F::OLT, I::slt, F::OLE, I::sle>, /*like=*/-1},
      {"", "BatchNormalization", 9, 5, batchNorm},
      {"", "CumSum", 11, 2, cumulativeSum},
      {"", "LayerNormalization", 17, 2, norm<true>},
      {"", "RMSNormalization", 23, 2, norm<false>},
      {"", "ReduceL2", 1, 1, reduce<length>},
      {"", "ReduceMax", 1, 1, reduce<largest>},
      {"", "ReduceMean", 1, 1, reduce<mean>},
      {"", "ReduceMin", 1, 1, reduce<smallest>},
      {"", "ReduceProd", 1, 1, reduce<product>},
      {"", "ReduceSum", 1, 1, reduce<sum>},
      {"", "ReduceSumSquare", 1, 1, reduce<squares>},
      {"", "SimplifiedLayerNormalization", 1, 2,
       norm<false>}, // in no opset of the standard; exporters write it all the same
      {"", "Softmax", 1, 1, softmax},
      {"com.microsoft", "SkipLayerNormalization", 1, 3, skipNorm<true>},
      {"com.microsoft", "SkipSimplifiedLayerNormalization", 1, 3, skipNorm<false>},
  };
  return table;
}
