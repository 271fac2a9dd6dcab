// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Scalar loops and arithmetic.
#include "passes/lower/LowerReferenceLoops.h"

#include "lib/formats/Rounding.h"
#include "lib/formats/Unpacked.h"
#include "passes/lower/RowBuilder.h"

using namespace mlir;
using namespace halftone;

Value ScalarLoops::index(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }

Value ScalarLoops::number(float value) {
  return arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(value));
}

Value ScalarLoops::integer(int32_t value) {
  return arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(value));
}

template <class OfFloats, class OfIntegers>
static Value arithmetic(OpBuilder &builder, Location loc, Value a, Value b) {
  if (isa<FloatType>(a.getType()))
    return OfFloats::create(builder, loc, a, b);
  return OfIntegers::create(builder, loc, a, b);
}

Value ScalarLoops::add(Value a, Value b) { return arithmetic<arith::AddFOp, arith::AddIOp>(builder, loc, a, b); }
Value ScalarLoops::subtract(Value a, Value b) { return arithmetic<arith::SubFOp, arith::SubIOp>(builder, loc, a, b); }
Value ScalarLoops::multiply(Value a, Value b) { return arithmetic<arith::MulFOp, arith::MulIOp>(builder, loc, a, b); }
Value ScalarLoops::divide(Value a, Value b) { return arithmetic<arith::DivFOp, arith::DivUIOp>(builder, loc, a, b); }
Value ScalarLoops::remainder(Value a, Value b) { return arith::RemUIOp::create(builder, loc, a, b); }
Value ScalarLoops::smaller(Value a, Value b) { return arith::MinUIOp::create(builder, loc, a, b); }

Value ScalarLoops::select(Value condition, Value a, Value b) {
  return arith::SelectOp::create(builder, loc, condition, a, b);
}

Value ScalarLoops::compare(arith::CmpFPredicate predicate, Value a, Value b) {
  return arith::CmpFOp::create(builder, loc, predicate, a, b);
}

Value ScalarLoops::toFloat(Value value) { return arith::SIToFPOp::create(builder, loc, builder.getF32Type(), value); }
Value ScalarLoops::unsignedByte(Value value) {
  return arith::ExtUIOp::create(builder, loc, builder.getI32Type(), value);
}
Value ScalarLoops::signedByte(Value value) { return arith::ExtSIOp::create(builder, loc, builder.getI32Type(), value); }

Value ScalarLoops::balancedCode(Value x, Value scale, float limit) {
  Value quotient = divide(x, scale), lowest = number(-limit), highest = number(limit);
  Value above = select(compare(arith::CmpFPredicate::OGT, quotient, lowest), quotient, lowest);
  Value inside = select(compare(arith::CmpFPredicate::OLT, above, highest), above, highest);
  Value noFraction = number(formats::noFraction);
  Value rounded = subtract(add(inside, noFraction), noFraction);
  Value isZero = compare(arith::CmpFPredicate::OEQ, scale, number(0));
  return arith::FPToSIOp::create(builder, loc, builder.getI32Type(), select(isZero, number(0), rounded));
}

Value ScalarLoops::load(Value memory, ValueRange indices) {
  return memref::LoadOp::create(builder, loc, memory, indices);
}

void ScalarLoops::store(Value value, Value memory, ValueRange indices) {
  memref::StoreOp::create(builder, loc, value, memory, indices);
}

void ScalarLoops::each(Value count, function_ref<void(Value)> body) {
  auto loop = scf::ForOp::create(builder, loc, index(0), count, index(1));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

Value ScalarLoops::fold(Value count, Value total, function_ref<Value(Value, Value)> body) {
  auto loop = scf::ForOp::create(builder, loc, index(0), count, index(1), total);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  scf::YieldOp::create(builder, loc, body(loop.getInductionVar(), loop.getRegionIterArgs().front()));
  return loop.getResult(0);
}

void ScalarLoops::parallel(Value count, function_ref<void(Value)> body) { parallelLoop(builder, loc, count, body); }

Value ScalarLoops::tokensOf(Value tensor) {
  const int64_t most = cast<ShapedType>(tensor.getType()).getDimSize(0);
  return getValueOrCreateConstantIndexOp(builder, loc, tokensOfCall(builder, loc, most));
}

//===-- Weights
//-----------------------------------------------------------------------------------------------------===//

/// The weight's memory as elements of `element`.
static Value memoryOf(Value handle, Type element, ScalarLoops &loops) {
  auto layout = StridedLayoutAttr::get(element.getContext(), ShapedType::kDynamic, {1});
  return kernel::MemoryOp::create(loops.builder, loops.loc, MemRefType::get({ShapedType::kDynamic}, element, layout),
                                  handle);
}

UnpackedWeight::UnpackedWeight(Value handle, ScalarLoops &loops)
    : type(cast<lowbit::WeightType>(handle.getType())), loops(loops),
      floats(memoryOf(handle, loops.builder.getF32Type(), loops)) {
  if (format().isPlain())
    return;
  bytes = memoryOf(handle, loops.builder.getI8Type(), loops);
  const int64_t rows = type.getShape().front();
  stepsOffset = formats::unpackedStepsOffset(rows, columns());
  zerosOffset = formats::unpackedZerosOffset(format(), rows, columns());
}

/// Element [row, column] of an array of `width` columns that begins at element `offset`.
Value UnpackedWeight::at(Value row, Value column, int64_t width, int64_t offset) {
  Value first = loops.add(loops.multiply(row, loops.index(width)), loops.index(offset));
  return loops.add(first, column);
}

Value UnpackedWeight::distance(Value row, Value column) {
  Value block = loops.divide(column, loops.index(blockLength()));
  Value level = loops.load(bytes, at(row, column, columns(), 0));
  Value zero = loops.load(bytes, at(row, block, blocks(), zerosOffset));
  return loops.subtract(loops.unsignedByte(level), loops.unsignedByte(zero));
}

Value UnpackedWeight::step(Value row, Value block) {
  return loops.load(floats, at(row, block, blocks(), stepsOffset / static_cast<int64_t>(sizeof(float))));
}

Value UnpackedWeight::element(Value row, Value column) {
  if (format().isPlain())
    return loops.load(floats, at(row, column, columns(), 0));
  Value block = loops.divide(column, loops.index(blockLength()));
  return loops.multiply(loops.toFloat(distance(row, column)), step(row, block));
}
