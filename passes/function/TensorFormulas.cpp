// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Building blocks made of building blocks: sums, norms, softmax.
#include "passes/function/TensorBuilder.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace halftone;
using namespace halftone::function;

/// The operation for floats or the one for integers.
template <class Float, class Integer> static Value binary(TensorBuilder &b, Value x, Value y) {
  return b.map(ValueRange{x, y}, elementOf(x), [](TensorBuilder &s, ValueRange v) -> Value {
    return isa<FloatType>(v[0].getType()) ? s.make<Float>(v[0], v[1]) : s.make<Integer>(v[0], v[1]);
  });
}

Value TensorBuilder::add(Value a, Value b) {
  return requireSameType({a, b}) ? binary<arith::AddFOp, arith::AddIOp>(*this, a, b) : a;
}
Value TensorBuilder::subtract(Value a, Value b) {
  return requireSameType({a, b}) ? binary<arith::SubFOp, arith::SubIOp>(*this, a, b) : a;
}
Value TensorBuilder::multiply(Value a, Value b) {
  return requireSameType({a, b}) ? binary<arith::MulFOp, arith::MulIOp>(*this, a, b) : a;
}
Value TensorBuilder::divide(Value a, Value b) {
  return requireSameType({a, b}) ? binary<arith::DivFOp, arith::DivSIOp>(*this, a, b) : a;
}

Value TensorBuilder::scale(Value a, double factor) {
  return map(a, elementOf(a), [&](TensorBuilder &b, ValueRange x) {
    return b.make<arith::MulFOp>(x[0], b.number(x[0].getType(), factor));
  });
}

Value TensorBuilder::sum(Value tensor, ArrayRef<int64_t> axes) {
  return reduce(tensor, axes, 0, [](TensorBuilder &b, ValueRange v) -> Value {
    return isa<FloatType>(v[0].getType()) ? b.make<arith::AddFOp>(v[0], v[1], anyOrder)
                                          : b.make<arith::AddIOp>(v[0], v[1]);
  });
}

Value TensorBuilder::mean(Value tensor, ArrayRef<int64_t> axes) {
  int64_t count = 1;
  for (int64_t axis : axes)
    count *= shapeOf(tensor)[axis];
  return map(sum(tensor, axes), elementOf(tensor), [&](TensorBuilder &b, ValueRange x) -> Value {
    Value divisor = b.number(x[0].getType(), static_cast<double>(count));
    return isa<FloatType>(x[0].getType()) ? b.make<arith::DivFOp>(x[0], divisor)
                                          : b.make<arith::DivSIOp>(x[0], divisor);
  });
}

Value TensorBuilder::softmax(Value tensor, int64_t axis) {
  Value largest = reduce(tensor, axis, -std::numeric_limits<double>::infinity(),
                         [](TensorBuilder &b, ValueRange v) { return b.make<arith::MaximumFOp>(v[0], v[1]); });
  Value powers = map(ValueRange{tensor, largest}, widened(elementOf(tensor)), [](TensorBuilder &b, ValueRange v) {
    return b.make<math::ExpOp>(b.make<arith::SubFOp>(v[0], v[1]));
  });
  return cast(divide(powers, sum(powers, axis)), elementOf(tensor));
}

Value TensorBuilder::normalize(Value x, ArrayRef<int64_t> axes, double epsilon, bool centred, Value gain, Value bias) {
  const Type element = elementOf(x);
  Value wide = cast(x, widened(element));
  if (centred)
    wide = subtract(wide, mean(wide, axes));
  Value factor = map(mean(multiply(wide, wide), axes), elementOf(wide), [&](TensorBuilder &b, ValueRange v) {
    Value shifted = b.make<arith::AddFOp>(v[0], b.number(v[0].getType(), epsilon));
    return b.make<arith::DivFOp>(b.number(v[0].getType(), 1), b.make<math::SqrtOp>(shifted));
  });
  Value result = multiply(wide, factor);
  if (gain)
    result = multiply(result, cast(gain, elementOf(wide)));
  if (bias)
    result = add(result, cast(bias, elementOf(wide)));
  return cast(result, element);
}
