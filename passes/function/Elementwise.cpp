// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators on single elements, with broadcasting.
#include "passes/function/Conversion.h"

#include "passes/import/Tensor.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace halftone;
using namespace halftone::function;

/// An element of the result from those of the inputs.
using Scalar = Value (*)(TensorBuilder &, ValueRange);

static bool isFloat(Value scalar) { return isa<FloatType>(scalar.getType()); }

/// The shape that inputs `first`.. broadcast to, or the error.
static FailureOr<SmallVector<int64_t>> commonShape(Conversion &c, ArrayRef<Value> tensors) {
  SmallVector<int64_t> shape(shapeOf(tensors[0])), both;
  for (Value tensor : tensors.drop_front()) {
    if (!importer::broadcast(shape, shapeOf(tensor), both))
      return c.fail("shapes do not broadcast, " + spell(shape) + " and " + spell(shapeOf(tensor)));
    shape = both;
  }
  return shape;
}

//===-- Of one type: the result's is the inputs' ------------------------------------------------------------------===//

template <Scalar body> static Results sameType(Conversion &c) {
  SmallVector<Value> tensors;
  for (size_t i = 0; i < c.inputs.size(); ++i)
    if (c.has(i))
      tensors.push_back(c.signedInput(i));
  for (Value tensor : tensors)
    if (elementOf(tensor) != elementOf(tensors[0]))
      return c.fail("inputs have different types");
  if (failed(commonShape(c, tensors)))
    return failure();
  return SmallVector<Value, 2>{c.like(c.b.map(tensors, elementOf(tensors[0]), body), 0)};
}

template <class Op> static Value unary(TensorBuilder &b, ValueRange v) { return b.make<Op>(v[0]); }
/// Folds any number of inputs from the left.
template <class Float, class Integer> static Value fold(TensorBuilder &b, ValueRange v) {
  Value result = v[0];
  for (Value next : v.drop_front())
    result = isFloat(result) ? b.make<Float>(result, next) : b.make<Integer>(result, next);
  return result;
}
template <class Op> static Value bits(TensorBuilder &b, ValueRange v) { return b.make<Op>(v[0], v[1]); }

static Value one(TensorBuilder &b, Value like) { return b.number(like.getType(), 1); }

static Value negative(TensorBuilder &b, ValueRange v) {
  return isFloat(v[0]) ? b.make<arith::NegFOp>(v[0]) : b.make<arith::SubIOp>(b.number(v[0].getType(), 0), v[0]);
}
static Value absolute(TensorBuilder &b, ValueRange v) {
  if (isFloat(v[0]))
    return b.make<math::AbsFOp>(v[0]);
  Value isBelow = b.make<arith::CmpIOp>(arith::CmpIPredicate::slt, v[0], b.number(v[0].getType(), 0));
  return b.make<arith::SelectOp>(isBelow, negative(b, v), v[0]);
}
static Value logicalNot(TensorBuilder &b, ValueRange v) { return b.make<arith::XOrIOp>(v[0], one(b, v[0])); }
static Value reciprocal(TensorBuilder &b, ValueRange v) { return b.make<arith::DivFOp>(one(b, v[0]), v[0]); }
static Value sigmoidOf(TensorBuilder &b, Value x) {
  Value power = b.make<math::ExpOp>(b.make<arith::NegFOp>(x));
  return b.make<arith::DivFOp>(one(b, x), b.make<arith::AddFOp>(one(b, x), power));
}
static Value sigmoid(TensorBuilder &b, ValueRange v) { return sigmoidOf(b, v[0]); }
static Value relu(TensorBuilder &b, ValueRange v) {
  Value zero = b.number(v[0].getType(), 0);
  return isFloat(v[0]) ? b.make<arith::MaximumFOp>(v[0], zero) : b.make<arith::MaxSIOp>(v[0], zero);
}
static Value sign(TensorBuilder &b, ValueRange v) {
  Value zero = b.number(v[0].getType(), 0), plus = one(b, v[0]), minus = b.number(v[0].getType(), -1);
  auto is = [&](arith::CmpFPredicate floats, arith::CmpIPredicate integers) {
    return isFloat(v[0]) ? b.make<arith::CmpFOp>(floats, v[0], zero) : b.make<arith::CmpIOp>(integers, v[0], zero);
  };
  // What is neither above nor below zero stays: zero, and what is no number.
  Value below = b.make<arith::SelectOp>(is(arith::CmpFPredicate::OLT, arith::CmpIPredicate::slt), minus, v[0]);
  return b.make<arith::SelectOp>(is(arith::CmpFPredicate::OGT, arith::CmpIPredicate::sgt), plus, below);
}
/// log(1 + e^x), which is x + log(1 + e^-x) where e^x would overflow.
static Value softplus(TensorBuilder &b, ValueRange v) {
  Value zero = b.number(v[0].getType(), 0), size = b.make<math::AbsFOp>(v[0]);
  Value rest = b.make<math::Log1pOp>(b.make<math::ExpOp>(b.make<arith::NegFOp>(size)));
  return b.make<arith::AddFOp>(b.make<arith::MaximumFOp>(v[0], zero), rest);
}
/// x * Phi(x) [Hendrycks and Gimpel 2016].
static Value geluOf(TensorBuilder &b, Value x) {
  Value scaled = b.make<arith::MulFOp>(x, b.number(x.getType(), M_SQRT1_2));
  Value twice = b.make<arith::AddFOp>(one(b, x), b.make<math::ErfOp>(scaled));
  return b.make<arith::MulFOp>(b.make<arith::MulFOp>(x, b.number(x.getType(), 0.5)), twice);
}
/// The same by tanh(sqrt(2 / pi) * (x + 0.044715 x^3)).
static Value tanhGeluOf(TensorBuilder &b, Value x) {
  Value cube = b.make<arith::MulFOp>(b.make<arith::MulFOp>(x, x), x);
  Value inner = b.make<arith::AddFOp>(x, b.make<arith::MulFOp>(cube, b.number(x.getType(), 0.044715)));
  Value tanh = b.make<math::TanhOp>(b.make<arith::MulFOp>(inner, b.number(x.getType(), std::sqrt(M_2_PI))));
  Value half = b.make<arith::MulFOp>(x, b.number(x.getType(), 0.5));
  return b.make<arith::MulFOp>(half, b.make<arith::AddFOp>(one(b, x), tanh));
}
static_assert(M_2_PI < 0.6367 && M_2_PI > 0.6366, "2 / pi");

/// A divisor by which no processor stops the program: 1 for 0, which has no meaning, and for -1, by which the least
/// integer has no quotient.
static Value safeDivisor(TensorBuilder &b, Value divisor) {
  Value above = b.make<arith::AddIOp>(divisor, one(b, divisor));
  Value isSafe = b.make<arith::CmpIOp>(arith::CmpIPredicate::ugt, above, one(b, divisor));
  return b.make<arith::SelectOp>(isSafe, divisor, one(b, divisor));
}

static Value divide(TensorBuilder &b, ValueRange v) {
  if (isFloat(v[0]))
    return b.make<arith::DivFOp>(v[0], v[1]);
  Value quotient = b.make<arith::DivSIOp>(v[0], safeDivisor(b, v[1]));
  Value isMinus = b.make<arith::CmpIOp>(arith::CmpIPredicate::eq, v[1], b.number(v[1].getType(), -1));
  return b.make<arith::SelectOp>(isMinus, negative(b, v[0]), quotient);
}

//===-- With parameters -------------------------------------------------------------------------------------------===//

static Results gelu(Conversion &c) {
  const bool byTanh = c.parameter("approximate", StringRef("none")) == "tanh";
  return SmallVector<Value, 2>{c.b.map(c.input(0), elementOf(c.input(0)), [&](TensorBuilder &b, ValueRange v) {
    return byTanh ? tanhGeluOf(b, v[0]) : geluOf(b, v[0]);
  })};
}

/// Gelu of the input plus a bias: by erf or by tanh.
template <Value (*function)(TensorBuilder &, Value)> static Results biasGelu(Conversion &c) {
  Value sum = c.has(1) ? c.b.add(c.input(0), c.input(1)) : c.input(0);
  return SmallVector<Value, 2>{
      c.b.map(sum, elementOf(sum), [&](TensorBuilder &b, ValueRange v) { return function(b, v[0]); })};
}

/// x * sigmoid(alpha * x).
static Results quickGelu(Conversion &c) {
  const float alpha = c.parameter("alpha", 1.702f);
  return SmallVector<Value, 2>{c.b.map(c.input(0), elementOf(c.input(0)), [&](TensorBuilder &b, ValueRange v) {
    return b.make<arith::MulFOp>(v[0], sigmoidOf(b, b.make<arith::MulFOp>(v[0], b.number(v[0].getType(), alpha))));
  })};
}

static Results leakyRelu(Conversion &c) {
  const float alpha = c.parameter("alpha", 0.01f);
  return SmallVector<Value, 2>{c.b.map(c.input(0), elementOf(c.input(0)), [&](TensorBuilder &b, ValueRange v) {
    Value below = b.make<arith::MulFOp>(v[0], b.number(v[0].getType(), alpha));
    Value isBelow = b.make<arith::CmpFOp>(arith::CmpFPredicate::OLT, v[0], b.number(v[0].getType(), 0));
    return b.make<arith::SelectOp>(isBelow, below, v[0]);
  })};
}

/// max(0, min(1, alpha * x + beta)).
static Value hardSigmoidOf(TensorBuilder &b, Value x, double alpha, double beta) {
  const Type type = x.getType();
  Value line = b.make<arith::AddFOp>(b.make<arith::MulFOp>(x, b.number(type, alpha)), b.number(type, beta));
  return b.make<arith::MaximumFOp>(b.number(type, 0), b.make<arith::MinimumFOp>(b.number(type, 1), line));
}
static Results hardSigmoid(Conversion &c) {
  const float alpha = c.parameter("alpha", 0.2f), beta = c.parameter("beta", 0.5f);
  return SmallVector<Value, 2>{c.b.map(c.input(0), elementOf(c.input(0)), [&](TensorBuilder &b, ValueRange v) {
    return hardSigmoidOf(b, v[0], alpha, beta);
  })};
}
static Value hardSwish(TensorBuilder &b, ValueRange v) {
  return b.make<arith::MulFOp>(v[0], hardSigmoidOf(b, v[0], 1.0 / 6, 0.5));
}

/// The bounds are inputs, or parameters before opset 11; a float without a bound stays finite [ONNX, "Clip"].
static Results clip(Conversion &c) {
  Value x = c.signedInput(0);
  const Type type = elementOf(x);
  for (size_t i : {1, 2})
    if (c.has(i) && failed(c.expectOne(i)))
      return failure();
  auto bound = [&](size_t i, StringRef name) -> Value {
    if (c.has(i))
      return c.b.reshape(c.signedInput(i), {});
    if (auto given = c.node.getParameters().getAs<FloatAttr>(name))
      return c.b.filled(type, {}, given.getValueAsDouble());
    auto floats = dyn_cast<FloatType>(type);
    if (!floats)
      return Value();
    return c.b.filled(type, {}, APFloat::getLargest(floats.getFloatSemantics(), name == "min").convertToDouble());
  };
  if (Value low = bound(1, "min"))
    x = c.b.map({x, low}, type, fold<arith::MaximumFOp, arith::MaxSIOp>);
  if (Value high = bound(2, "max"))
    x = c.b.map({x, high}, type, fold<arith::MinimumFOp, arith::MinSIOp>);
  return SmallVector<Value, 2>{c.like(x, 0)};
}

/// The exponent may have another type than the base.
static Results power(Conversion &c) {
  if (failed(commonShape(c, {c.input(0), c.input(1)})))
    return failure();
  const Type type = elementOf(c.input(0));
  const bool isSquare = c.number(1) == 2.0;
  return SmallVector<Value, 2>{c.b.map({c.input(0), c.input(1)}, type, [&](TensorBuilder &b, ValueRange v) -> Value {
    if (isSquare)
      return isFloat(v[0]) ? b.make<arith::MulFOp>(v[0], v[0]) : b.make<arith::MulIOp>(v[0], v[0]);
    const Type computed = isFloat(v[0]) ? v[0].getType() : b.builder.getF64Type();
    Value base = b.convert(v[0], computed, c.isUnsigned(0)), exponent = b.convert(v[1], computed, c.isUnsigned(1));
    return b.convert(b.make<math::PowFOp>(base, exponent), type, false, c.isUnsigned(0));
  })};
}

/// The sign of the divisor, or with fmod that of the dividend.
static Results modulo(Conversion &c) {
  if (failed(commonShape(c, {c.input(0), c.input(1)})))
    return failure();
  if (elementOf(c.input(0)) != elementOf(c.input(1)))
    return c.fail("inputs have different types");
  const bool likeDividend = c.parameter("fmod", int64_t(0));
  Value dividends = c.signedInput(0), divisors = c.signedInput(1);
  Value rests = c.b.map({dividends, divisors}, elementOf(dividends), [&](TensorBuilder &b, ValueRange v) -> Value {
    if (isFloat(v[0]))
      return b.make<arith::RemFOp>(v[0], v[1]);
    Value zero = b.number(v[1].getType(), 0), divisor = safeDivisor(b, v[1]);
    Value rest = b.make<arith::RemSIOp>(v[0], divisor);
    if (likeDividend)
      return rest;
    Value differ = b.make<arith::CmpIOp>(arith::CmpIPredicate::slt, b.make<arith::XOrIOp>(rest, divisor), zero);
    Value isRest = b.make<arith::CmpIOp>(arith::CmpIPredicate::ne, rest, zero);
    return b.make<arith::SelectOp>(b.make<arith::AndIOp>(differ, isRest), b.make<arith::AddIOp>(rest, divisor), rest);
  });
  return SmallVector<Value, 2>{c.like(rests, 0)};
}

//===-- Of truth --------------------------------------------------------------------------------------------------===//

template <arith::CmpFPredicate floats, arith::CmpIPredicate integers> static Results compare(Conversion &c) {
  if (failed(commonShape(c, {c.input(0), c.input(1)})))
    return failure();
  if (elementOf(c.input(0)) != elementOf(c.input(1)))
    return c.fail("inputs have different types");
  return SmallVector<Value, 2>{c.b.map({c.signedInput(0), c.signedInput(1)}, c.b.builder.getI1Type(),
                                       [](TensorBuilder &b, ValueRange v) -> Value {
                                         if (isFloat(v[0]))
                                           return b.make<arith::CmpFOp>(floats, v[0], v[1]);
                                         return b.make<arith::CmpIOp>(integers, v[0], v[1]);
                                       })};
}

static Results isNan(Conversion &c) {
  return SmallVector<Value, 2>{c.b.map(c.input(0), c.b.builder.getI1Type(), [](TensorBuilder &b, ValueRange v) {
    return b.make<arith::CmpFOp>(arith::CmpFPredicate::UNO, v[0], v[0]);
  })};
}

/// One of the two infinities, or either.
static Results isInfinite(Conversion &c) {
  SmallVector<double, 2> infinities;
  for (auto [name, sign] : {std::pair("detect_positive", 1.0), std::pair("detect_negative", -1.0)})
    if (c.parameter(name, int64_t(1)))
      infinities.push_back(sign * std::numeric_limits<double>::infinity());
  return SmallVector<Value, 2>{c.b.map(c.input(0), c.b.builder.getI1Type(), [&](TensorBuilder &b, ValueRange v) {
    Value found = b.number(b.builder.getI1Type(), 0);
    for (double infinity : infinities)
      found = b.make<arith::OrIOp>(
          found, b.make<arith::CmpFOp>(arith::CmpFPredicate::OEQ, v[0], b.number(v[0].getType(), infinity)));
    return found;
  })};
}

static Results where(Conversion &c) {
  if (failed(commonShape(c, {c.input(0), c.input(1), c.input(2)})))
    return failure();
  if (!elementOf(c.input(0)).isInteger(1) || elementOf(c.input(1)) != elementOf(c.input(2)))
    return c.fail("the condition is not boolean, or the two choices have different types");
  return SmallVector<Value, 2>{
      c.b.map({c.input(0), c.input(1), c.input(2)}, elementOf(c.input(1)),
              [](TensorBuilder &b, ValueRange v) { return b.make<arith::SelectOp>(v[0], v[1], v[2]); })};
}

//===-- Cast ------------------------------------------------------------------------------------------------------===//

static Results castTo(Conversion &c) {
  const int64_t number = c.parameter("to", int64_t(0));
  c.given = elementTypeOf(c.node.getContext(), number);
  if (!c.given || c.given.isInteger(4))
    return c.fail("casts to type " + Twine(number) + " are not supported");
  return SmallVector<Value, 2>{c.b.cast(c.input(0), heldAs(c.given), c.isUnsigned(0), c.given.isUnsignedInteger())};
}

//===-- The table -------------------------------------------------------------------------------------------------===//

ArrayRef<Operator> halftone::function::elementwiseOperators() {
  using P = arith::CmpFPredicate;
  using I = arith::CmpIPredicate;
  static constexpr Operator table[] = {
      {"", "Abs", 6, 1, sameType<absolute>},
      {"", "Acos", 7, 1, sameType<unary<math::AcosOp>>},
      {"", "Add", 7, 2, sameType<fold<arith::AddFOp, arith::AddIOp>>},
      {"", "And", 7, 2, sameType<bits<arith::AndIOp>>},
      {"", "Asin", 7, 1, sameType<unary<math::AsinOp>>},
      {"", "Atan", 7, 1, sameType<unary<math::AtanOp>>},
      {"", "Cast", 6, 1, castTo},
      {"", "Ceil", 6, 1, sameType<unary<math::CeilOp>>},
      {"", "Clip", 6, 1, clip},
      {"", "Cos", 7, 1, sameType<unary<math::CosOp>>},
      {"", "Div", 7, 2, sameType<divide>},
      {"", "Equal", 7, 2, compare<P::OEQ, I::eq>},
      {"", "Erf", 9, 1, sameType<unary<math::ErfOp>>},
      {"", "Exp", 6, 1, sameType<unary<math::ExpOp>>},
      {"", "Floor", 6, 1, sameType<unary<math::FloorOp>>},
      {"", "Gelu", 20, 1, gelu},
      {"", "Greater", 7, 2, compare<P::OGT, I::sgt>},
      {"", "GreaterOrEqual", 12, 2, compare<P::OGE, I::sge>},
      {"", "HardSigmoid", 6, 1, hardSigmoid},
      {"", "HardSwish", 14, 1, sameType<hardSwish>},
      {"", "IsInf", 10, 1, isInfinite},
      {"", "IsNaN", 9, 1, isNan},
      {"", "LeakyRelu", 6, 1, leakyRelu},
      {"", "Less", 7, 2, compare<P::OLT, I::slt>},
      {"", "LessOrEqual", 12, 2, compare<P::OLE, I::sle>},
      {"", "Log", 6, 1, sameType<unary<math::LogOp>>},
      {"", "Max", 8, 1, sameType<fold<arith::MaximumFOp, arith::MaxSIOp>>},
      {"", "Min", 8, 1, sameType<fold<arith::MinimumFOp, arith::MinSIOp>>},
      {"", "Mod", 10, 2, modulo},
      {"", "Mul", 7, 2, sameType<fold<arith::MulFOp, arith::MulIOp>>},
      {"", "Neg", 6, 1, sameType<negative>},
      {"", "Not", 1, 1, sameType<logicalNot>},
      {"", "Or", 7, 2, sameType<bits<arith::OrIOp>>},
      {"", "Pow", 7, 2, power},
      {"", "Reciprocal", 6, 1, sameType<reciprocal>},
      {"", "Relu", 6, 1, sameType<relu>},
      {"", "Round", 11, 1, sameType<unary<math::RoundEvenOp>>},
      {"", "Sigmoid", 6, 1, sameType<sigmoid>},
      {"", "Sign", 9, 1, sameType<sign>},
      {"", "Sin", 7, 1, sameType<unary<math::SinOp>>},
      {"", "Softplus", 1, 1, sameType<softplus>},
      {"", "Sqrt", 6, 1, sameType<unary<math::SqrtOp>>},
      {"", "Sub", 7, 2, sameType<fold<arith::SubFOp, arith::SubIOp>>},
      {"", "Sum", 8, 1, sameType<fold<arith::AddFOp, arith::AddIOp>>},
      {"", "Tan", 7, 1, sameType<unary<math::TanOp>>},
      {"", "Tanh", 6, 1, sameType<unary<math::TanhOp>>},
      {"", "Where", 9, 3, where, /*like=*/1},
      {"", "Xor", 7, 2, sameType<bits<arith::XOrIOp>>},
      {"com.microsoft", "BiasGelu", 1, 2, biasGelu<geluOf>},
      {"com.microsoft", "FastGelu", 1, 1, biasGelu<tanhGeluOf>},
      {"com.microsoft", "Gelu", 1, 1, gelu},
      {"com.microsoft", "QuickGelu", 1, 1, quickGelu},
  };
  return table;
}
