// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Divide, clamp, round, convert.
#include "passes/lower/Rounding.h"

#include "lib/formats/Rounding.h"

using namespace mlir;
using namespace halftone;

namespace {

/// Emits arithmetic on vectors of one type.
struct Emitter {
  OpBuilder &builder;
  Location loc;
  VectorType type;

  Value splat(float value) const {
    return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, value));
  }

  /// lowest .. highest; NaN gives lowest. A scale that is a denormal may be so far below absmax / limit that a quotient
  /// is beyond the limit.
  Value clamp(Value x, float lowest, float highest) const {
    Value low = splat(lowest), high = splat(highest);
    Value isAbove = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, x, low);
    Value above = arith::SelectOp::create(builder, loc, isAbove, x, low);
    Value isBelow = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT, above, high);
    return arith::SelectOp::create(builder, loc, isBelow, above, high);
  }

  /// Ties to even, for |x| < 2^22. Every processor has an addition; few of the small ones round in one instruction.
  Value roundEven(Value x) const {
    Value shift = splat(formats::noFraction);
    return arith::SubFOp::create(builder, loc, arith::AddFOp::create(builder, loc, x, shift), shift);
  }
};

} // namespace

Value halftone::roundToCodes(OpBuilder &builder, Location loc, Value x, Value scale, float limit) {
  const Emitter emit{builder, loc, cast<VectorType>(x.getType())};
  Value zero = arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(0));
  Value isZero = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ, scale, zero);
  Value divisor = vector::BroadcastOp::create(builder, loc, emit.type, scale);
  Value rounded = emit.roundEven(emit.clamp(arith::DivFOp::create(builder, loc, x, divisor), -limit, limit));
  Value codes = arith::SelectOp::create(builder, loc, isZero, emit.splat(0), rounded);
  return arith::FPToSIOp::create(builder, loc, VectorType::get(emit.type.getShape(), builder.getI32Type()), codes);
}
