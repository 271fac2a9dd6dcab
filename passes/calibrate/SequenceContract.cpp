// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Blocks as a dimension of their own; the last is filled up with zeros, which change no largest magnitude.
#include "passes/calibrate/SequenceContract.h"

#include "lib/formats/Packing.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace halftone;
using function::shapeOf;
using function::TensorBuilder;

/// Rounds to a shorter floating point type and back.
static Value rounded(TensorBuilder &b, Value values, formats::Scalar scalar) {
  if (scalar == formats::Scalar::F32)
    return values;
  Builder &types = b.builder;
  Type narrow = scalar == formats::Scalar::F16 ? Type(types.getF16Type()) : Type(types.getBF16Type());
  return b.map(values, types.getF32Type(), [&](TensorBuilder &e, ValueRange x) -> Value {
    return e.make<arith::ExtFOp>(e.builder.getF32Type(), e.make<arith::TruncFOp>(narrow, x[0]));
  });
}

/// roundeven(x / scale) within -limit .. limit, times scale; 0 when that is.
static Value coded(TensorBuilder &e, Value x, Value scale, double limit) {
  Type f32 = e.builder.getF32Type();
  Value code = e.make<math::RoundEvenOp>(e.make<arith::DivFOp>(x, scale));
  code = e.make<arith::MaximumFOp>(e.make<arith::MinimumFOp>(code, e.number(f32, limit)), e.number(f32, -limit));
  Value isZero = e.make<arith::CmpFOp>(arith::CmpFPredicate::OEQ, scale, e.number(f32, 0));
  return e.make<arith::SelectOp>(isZero, e.number(f32, 0), e.make<arith::MulFOp>(code, scale));
}

Value calibrate::contracted(TensorBuilder &b, Value values, const formats::Format &format) {
  if (format.isPlain())
    return rounded(b, values, format.code.scalar);
  const double limit = (1 << (format.code.bits - 1)) - 1;
  const int64_t tokens = shapeOf(values)[0], columns = shapeOf(values)[1], length = format.blockLength(columns, 0);
  const int64_t blocks = formats::divideUp(columns, length);
  Type f32 = b.builder.getF32Type();
  Value whole = b.pad(values, {0, 0}, {0, blocks * length - columns}, 0.0);
  Value split = b.reshape(whole, {tokens, blocks, length});
  Value magnitudes =
      b.map(split, f32, [](TensorBuilder &e, ValueRange x) -> Value { return e.make<math::AbsFOp>(x[0]); });
  Value largest = b.reduce(magnitudes, {2}, 0, [](TensorBuilder &e, ValueRange x) -> Value {
    return e.make<arith::MaximumFOp>(x[0], x[1]);
  });
  Value scales = b.map(largest, f32, [&](TensorBuilder &e, ValueRange x) -> Value {
    return e.make<arith::DivFOp>(x[0], e.number(e.builder.getF32Type(), limit));
  });
  Value back = b.map({split, scales}, f32, [&](TensorBuilder &e, ValueRange x) { return coded(e, x[0], x[1], limit); });
  return b.part(b.reshape(back, {tokens, blocks * length}), 1, 0, columns);
}
