// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Between numbers and integer codes, and operators on codes, whose sums are exact.
#include "passes/function/Conversion.h"
#include "passes/function/Windows.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace halftone;
using namespace halftone::function;

//===-- Codes -----------------------------------------------------------------------------------------------------===//

/// One scale per tensor, per element along `axis`, or per block of `block` elements along it, as it broadcasts to
/// `shape`.
static FailureOr<Value> spread(Conversion &c, Value scales, ArrayRef<int64_t> shape, int64_t axis, int64_t block) {
  const int64_t rank = static_cast<int64_t>(shape.size());
  if (cast<RankedTensorType>(scales.getType()).getNumElements() == 1)
    return c.b.reshape(scales, {});
  auto normal = c.axis(axis, rank);
  if (!normal)
    return c.fail("axis " + Twine(axis) + " of " + Twine(rank) + " dimensions");
  if (block == 0) {
    SmallVector<int64_t> own(rank, 1);
    own[*normal] = shape[*normal];
    if (rankOf(scales) != 1 || shapeOf(scales)[0] != own[*normal])
      return c.fail(Twine(shapeOf(scales)[0]) + " scales for " + Twine(own[*normal]) + " elements");
    return c.b.reshape(scales, own);
  }
  SmallVector<int64_t> blocks(shape);
  if (block > 0)
    blocks[*normal] = (shape[*normal] + block - 1) / block;
  if (block < 0 || shapeOf(scales) != ArrayRef(blocks))
    return c.fail("scales of another shape than blocks of " + Twine(block) + " have");
  return c.b.generate(elementOf(scales), shape, [&](TensorBuilder &b, ValueRange at) {
    SmallVector<Value> from(at);
    from[*normal] = b.make<arith::DivUIOp>(at[*normal], b.index(block));
    return b.read(scales, from);
  });
}

/// x, a whole number, inside the range of a type of the graph.
static Value saturate(TensorBuilder &s, Value x, Type type) {
  const double count = std::ldexp(1.0, static_cast<int>(type.getIntOrFloatBitWidth()));
  const double least = type.isUnsignedInteger() ? 0 : -count / 2, most = least + count - 1;
  Value low = s.make<arith::MaximumFOp>(x, s.number(x.getType(), least));
  Value inside = s.make<arith::MinimumFOp>(low, s.number(x.getType(), most));
  return s.convert(s.convert(inside, s.builder.getI32Type()), heldAs(type));
}

/// A held code of a type of the graph, as the number that a body computes with.
static Value numberOf(TensorBuilder &s, Value code, Type type, Type number) {
  return s.convert(s.convert(code, s.builder.getI32Type(), type.isUnsignedInteger()), number);
}

/// saturate(roundeven(x / scale) + zero).
static Value encode(TensorBuilder &b, Value x, Value scale, Value zero, Type type) {
  SmallVector<Value> inputs = {x, scale};
  if (zero)
    inputs.push_back(zero);
  return b.map(inputs, heldAs(type), [&](TensorBuilder &s, ValueRange v) -> Value {
    Value code = s.make<math::RoundEvenOp>(s.make<arith::DivFOp>(v[0], v[1]));
    if (zero)
      code = s.make<arith::AddFOp>(code, numberOf(s, v[2], type, code.getType()));
    return saturate(s, code, type);
  });
}

/// Whether codes can be of a type of the graph.
static bool isCode(Type type) { return isa_and_nonnull<IntegerType>(type) && type.getIntOrFloatBitWidth() <= 16; }

//===-- The standard's operators ----------------------------------------------------------------------------------===//

namespace {
/// Scale and zero point (null when there is none) for each element of input 0.
struct Grid {
  FailureOr<Value> scale, zero;
};
} // namespace

/// Spreads inputs 1 and 2 over input 0.
static Grid gridOf(Conversion &c) {
  const ArrayRef<int64_t> shape = shapeOf(c.input(0));
  const int64_t axis = c.parameter("axis", int64_t(1)), block = c.parameter("block_size", int64_t(0));
  Grid grid = {spread(c, c.input(1), shape, axis, block), Value()};
  if (succeeded(grid.scale) && c.has(2))
    grid.zero = spread(c, c.input(2), shape, axis, block);
  return grid;
}

/// (code - zero) * scale.
static Results dequantize(Conversion &c) {
  Value x = c.input(0);
  const auto [scale, zero] = gridOf(c);
  if (failed(scale) || failed(zero))
    return failure();
  SmallVector<Value> inputs = {x, *scale};
  if (*zero)
    inputs.push_back(*zero);
  const bool isUnsigned = c.isUnsigned(0);
  return SmallVector<Value, 2>{c.b.map(inputs, elementOf(c.input(1)), [&](TensorBuilder &s, ValueRange v) -> Value {
    const Type wide = s.builder.getI32Type();
    Value code = s.convert(v[0], wide, isUnsigned);
    if (v.size() > 2)
      code = s.make<arith::SubIOp>(code, s.convert(v[2], wide, isUnsigned));
    return s.make<arith::MulFOp>(s.convert(code, v[1].getType()), v[1]);
  })};
}

/// uint8 [ONNX, TensorProto.DataType]: what codes are where nothing says so.
static constexpr int64_t byteType = 2;

static Results quantize(Conversion &c) {
  Value x = c.input(0);
  const auto [scale, zero] = gridOf(c);
  if (failed(scale) || failed(zero))
    return failure();
  const int64_t number = c.parameter("output_dtype", int64_t(0));
  c.given = c.has(2) ? c.types[2] : elementTypeOf(c.node.getContext(), number == 0 ? byteType : number);
  if (!isCode(c.given))
    return c.fail("codes of this type are not supported");
  return SmallVector<Value, 2>{encode(c.b, x, *scale, *zero, c.given)};
}

/// uint8 codes whose range is that of the elements and 0 [ONNX, "DynamicQuantizeLinear"].
static Results dynamicQuantize(Conversion &c) {
  Value x = c.input(0);
  auto axes = llvm::to_vector(llvm::seq<int64_t>(0, rankOf(x)));
  const Type type = elementOf(x);
  c.given = elementTypeOf(c.node.getContext(), byteType);
  auto extreme = [&](auto step) { return c.b.reshape(c.b.reduce(x, axes, 0, step), {}); };
  Value high = extreme([](TensorBuilder &s, ValueRange v) { return s.make<arith::MaximumFOp>(v[0], v[1]); });
  Value low = extreme([](TensorBuilder &s, ValueRange v) { return s.make<arith::MinimumFOp>(v[0], v[1]); });
  Value scale = c.b.map({high, low}, type, [](TensorBuilder &s, ValueRange v) {
    Value step = s.make<arith::DivFOp>(s.make<arith::SubFOp>(v[0], v[1]), s.number(v[0].getType(), 255));
    // Zeros alone have no step.
    Value isEmpty = s.make<arith::CmpFOp>(arith::CmpFPredicate::OEQ, v[0], v[1]);
    return s.make<arith::SelectOp>(isEmpty, s.number(v[0].getType(), 1), step);
  });
  Value zero = c.b.map({low, scale}, heldAs(c.given), [&](TensorBuilder &s, ValueRange v) {
    return saturate(s, s.make<math::RoundEvenOp>(s.make<arith::NegFOp>(s.make<arith::DivFOp>(v[0], v[1]))), c.given);
  });
  return SmallVector<Value, 2>{encode(c.b, x, scale, zero, c.given), scale, zero};
}

//===-- Operators on codes ----------------------------------------------------------------------------------------===//

/// Input `i` less its zero point `i + 2`, in int32: exact. Zero points are one for all or one per element along `axis`.
static FailureOr<Value> centredInput(Conversion &c, size_t i, int64_t axis) {
  const Type type = c.b.builder.getI32Type();
  Value codes = c.b.cast(c.input(i), type, c.isUnsigned(i));
  if (!c.has(i + 2))
    return codes;
  FailureOr<Value> zero = spread(c, c.input(i + 2), shapeOf(codes), axis, 0);
  if (failed(zero))
    return failure();
  return c.b.subtract(codes, c.b.cast(*zero, type, c.isUnsigned(i + 2)));
}

/// What one step of an exact sum is worth: the scales of inputs 0 and 3, the latter one for all or one per element
/// along `axis` of the sum.
static FailureOr<Value> stepOf(Conversion &c, Value sum, int64_t axis) {
  FailureOr<Value> scale = spread(c, c.input(4), shapeOf(sum), axis, 0);
  if (failed(scale))
    return failure();
  return c.b.multiply(c.b.reshape(c.input(1), {}), *scale);
}

/// Encodes step * sum with the scale and the zero point that are inputs `i` and `i + 1`: one factor, one rounding.
static Results encodedSum(Conversion &c, Value sum, Value step, size_t i) {
  Value zero = c.has(i + 1) ? c.b.reshape(c.input(i + 1), {}) : Value();
  c.given = zero ? c.types[i + 1] : elementTypeOf(c.node.getContext(), byteType);
  if (!isCode(c.given))
    return c.fail("codes of this type are not supported");
  SmallVector<Value> inputs = {sum, c.b.divide(step, c.b.reshape(c.input(i), {}))};
  if (zero)
    inputs.push_back(zero);
  return SmallVector<Value, 2>{c.b.map(inputs, heldAs(c.given), [&](TensorBuilder &s, ValueRange v) -> Value {
    const Type number = v[1].getType();
    Value code = s.make<math::RoundEvenOp>(s.make<arith::MulFOp>(s.convert(v[0], number), v[1]));
    if (zero)
      code = s.make<arith::AddFOp>(code, numberOf(s, v[2], c.given, number));
    return saturate(s, code, c.given);
  })};
}

static Results convolveCodes(Conversion &c) {
  FailureOr<Value> x = centredInput(c, 0, 1), w = centredInput(c, 3, 0);
  if (failed(x) || failed(w))
    return failure();
  FailureOr<Value> sum = convolve(c, *x, *w);
  if (failed(sum))
    return failure();
  if (c.has(8))
    sum = c.b.add(*sum, perChannel(c.b, c.input(8), rankOf(*sum)));
  FailureOr<Value> step = stepOf(c, *sum, 1);
  return failed(step) ? Results(failure()) : encodedSum(c, *sum, *step, 6);
}

static Results productOfCodes(Conversion &c) {
  FailureOr<Value> a = centredInput(c, 0, -2), b = centredInput(c, 3, -1);
  if (failed(a) || failed(b))
    return failure();
  if (rankOf(*a) < 2 || rankOf(*b) < 2 || shapeOf(*a).back() != shapeOf(*b)[rankOf(*b) - 2])
    return c.fail("inner dimensions differ");
  Value sum = c.b.product(*a, *b);
  FailureOr<Value> step = stepOf(c, sum, -1);
  return failed(step) ? Results(failure()) : encodedSum(c, sum, *step, 6);
}

/// alpha * A' * B' + C; without a scale of the result the result is in numbers.
static Results gemmOfCodes(Conversion &c) {
  const bool turned = c.parameter("transB", int64_t(0));
  FailureOr<Value> a = centredInput(c, 0, 1), b = centredInput(c, 3, turned ? 0 : 1);
  if (failed(a) || failed(b))
    return failure();
  if (c.parameter("transA", int64_t(0)))
    a = c.b.transpose(*a, {1, 0});
  if (rankOf(*a) != 2 || rankOf(*b) != 2 || shapeOf(*a)[1] != shapeOf(*b)[turned ? 1 : 0])
    return c.fail("inner dimensions differ");
  Value sum = c.b.product(*a, *b, turned);
  if (c.has(6)) // codes of the same step
    sum = c.b.add(sum, c.input(6));
  FailureOr<Value> step = stepOf(c, sum, 1);
  if (failed(step))
    return failure();
  if (const float alpha = c.parameter("alpha", 1.0f); alpha != 1)
    step = c.b.scale(*step, alpha);
  if (c.has(7))
    return encodedSum(c, sum, *step, 7);
  return SmallVector<Value, 2>{c.b.multiply(c.b.cast(sum, elementOf(*step)), *step)};
}

/// Codes a and b in units of the result's scale, added before they are rounded. As ONNX Runtime does, what the three
/// zero points are worth is one number, so that results round alike.
static Results addCodes(Conversion &c) {
  SmallVector<Value> inputs;
  for (size_t i : {0, 1, 3, 4, 6}) {
    if (i % 3 != 0 && cast<RankedTensorType>(c.input(i).getType()).getNumElements() != 1)
      return c.fail("scales per channel are not supported");
    inputs.push_back(i % 3 == 0 && i < 6 ? c.input(i) : c.b.reshape(c.input(i), {}));
  }
  const Type i32 = c.b.builder.getI32Type();
  for (size_t i : {2, 5, 7})
    inputs.push_back(c.has(i) ? c.b.cast(c.b.reshape(c.input(i), {}), i32, c.isUnsigned(i)) : c.b.filled(i32, {}, 0));
  c.given = c.types[0];
  if (!isCode(c.given))
    return c.fail("codes of this type are not supported");
  return SmallVector<Value, 2>{c.b.map(inputs, heldAs(c.given), [&](TensorBuilder &s, ValueRange v) -> Value {
    const Type number = v[4].getType();
    auto times = [&](Value x, Value y) { return s.make<arith::MulFOp>(x, y); };
    auto code = [&](Value x) { return numberOf(s, x, c.given, number); };
    Value perA = s.make<arith::DivFOp>(v[1], v[4]), perB = s.make<arith::DivFOp>(v[3], v[4]);
    Value zeros = s.make<arith::AddFOp>(times(perA, s.convert(v[5], number)), times(perB, s.convert(v[6], number)));
    Value rest = s.make<arith::SubFOp>(s.convert(v[7], number), zeros);
    rest = s.make<arith::AddFOp>(times(code(v[2]), perB), rest);
    return saturate(s, s.make<math::RoundEvenOp>(s.make<arith::AddFOp>(times(code(v[0]), perA), rest)), c.given);
  })};
}

static Results averageOfCodes(Conversion &c) {
  FailureOr<Value> x = centredInput(c, 0, 1);
  if (failed(x))
    return failure();
  if (c.parameter("channels_last", int64_t(0)))
    return c.fail("channels as the last dimension are not supported");
  Value sum = c.b.sum(*x, llvm::to_vector(llvm::seq<int64_t>(2, rankOf(*x))));
  int64_t count = 1;
  for (int64_t size : shapeOf(*x).drop_front(2))
    count *= size;
  return encodedSum(c, sum, c.b.scale(c.b.reshape(c.input(1), {}), 1.0 / static_cast<double>(count)), 3);
}

/// An exact sum of products of codes less their zero points, in int32.
static Results convolveIntegers(Conversion &c) {
  const Type type = c.b.builder.getI32Type();
  Value sides[2];
  for (size_t i = 0; i < 2; ++i) {
    sides[i] = c.b.cast(c.input(i), type, c.isUnsigned(i));
    if (!c.has(i + 2))
      continue;
    FailureOr<Value> zero = spread(c, c.input(i + 2), shapeOf(sides[i]), 0, 0);
    if (failed(zero))
      return failure();
    sides[i] = c.b.subtract(sides[i], c.b.cast(*zero, type, c.isUnsigned(i + 2)));
  }
  FailureOr<Value> result = convolve(c, sides[0], sides[1]);
  if (failed(result))
    return failure();
  return SmallVector<Value, 2>{*result};
}

ArrayRef<Operator> halftone::function::quantizationOperators() {
  static constexpr Operator table[] = {
      {"", "ConvInteger", 10, 2, convolveIntegers},
      {"", "DequantizeLinear", 10, 2, dequantize},
      {"", "DynamicQuantizeLinear", 11, 1, dynamicQuantize},
      {"", "QLinearConv", 10, 8, convolveCodes},
      {"", "QLinearMatMul", 10, 8, productOfCodes},
      {"", "QuantizeLinear", 10, 2, quantize},
      {"com.microsoft", "DequantizeLinear", 1, 2, dequantize},
      {"com.microsoft", "QGemm", 1, 6, gemmOfCodes},
      {"com.microsoft", "QLinearAdd", 1, 7, addCodes},
      {"com.microsoft", "QLinearGlobalAveragePool", 1, 5, averageOfCodes},
      {"com.microsoft", "QuantizeLinear", 1, 2, quantize},
  };
  return table;
}
