// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The arithmetic of lib/formats/Scalar.h, toBf16 and fromBf16, as operations.
#include "passes/lower/Bfloat16.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace {

/// Integer arithmetic on values shaped like another.
struct Integers {
  OpBuilder &builder;
  Location loc;
  Type like;

  Type type(Type element) const {
    auto shaped = dyn_cast<ShapedType>(like);
    return shaped ? Type(shaped.clone(element)) : element;
  }
  Type i32() const { return type(builder.getI32Type()); }
  Value constant(int64_t value) {
    TypedAttr scalar = builder.getI32IntegerAttr(static_cast<int32_t>(value));
    auto shaped = dyn_cast<ShapedType>(i32());
    return arith::ConstantOp::create(builder, loc, shaped ? DenseElementsAttr::get(shaped, Attribute(scalar)) : scalar);
  }
  template <class Op> Value apply(Value a, int64_t b) { return Op::create(builder, loc, a, constant(b)); }
};

} // namespace

Value halftone::roundToBf16(OpBuilder &builder, Location loc, Value floats) {
  Integers on{builder, loc, floats.getType()};
  Value bits = arith::BitcastOp::create(builder, loc, on.i32(), floats);
  Value upper = on.apply<arith::ShRUIOp>(bits, 16);
  Value isOdd = on.apply<arith::AndIOp>(upper, 1);
  Value sum = arith::AddIOp::create(builder, loc, on.apply<arith::AddIOp>(bits, 0x7fff), isOdd);
  Value rounded = on.apply<arith::ShRUIOp>(sum, 16);
  Value isNan = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ugt,
                                      on.apply<arith::AndIOp>(bits, 0x7fffffff), on.constant(0x7f800000));
  Value quiet = on.apply<arith::OrIOp>(upper, 0x40);
  Value all = arith::SelectOp::create(builder, loc, isNan, quiet, rounded);
  return arith::TruncIOp::create(builder, loc, on.type(builder.getI16Type()), all);
}

Value halftone::widenBf16(OpBuilder &builder, Location loc, Value bits) {
  Integers on{builder, loc, bits.getType()};
  Value wide = arith::ExtUIOp::create(builder, loc, on.i32(), bits);
  return arith::BitcastOp::create(builder, loc, on.type(builder.getF32Type()), on.apply<arith::ShLIOp>(wide, 16));
}
