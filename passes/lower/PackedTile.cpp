// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loads from packed weights.
#include "passes/lower/PackedTile.h"

#include "passes/lower/Bfloat16.h"

using namespace mlir;
using namespace halftone;

static Type elementType(formats::Scalar scalar, OpBuilder &builder) {
  switch (scalar) {
  case formats::Scalar::F32:
    return builder.getF32Type();
  case formats::Scalar::F16:
    return builder.getF16Type();
  case formats::Scalar::BF16:
    return builder.getBF16Type();
  }
  llvm_unreachable("unknown scalar");
}

PackedTile::PackedTile(Value handle, OpBuilder &builder, Location loc)
    : type(cast<lowbit::WeightType>(handle.getType())), form(cast<kernel::LayoutAttr>(type.getEncoding()).get()),
      builder(builder), loc(loc) {
  auto layout = StridedLayoutAttr::get(builder.getContext(), ShapedType::kDynamic, {1});
  memory = kernel::MemoryOp::create(builder, loc, MemRefType::get({ShapedType::kDynamic}, builder.getI8Type(), layout),
                                    handle);
}

Value PackedTile::plus(Value index, int64_t offset) {
  if (offset == 0)
    return index;
  return arith::AddIOp::create(builder, loc, index, arith::ConstantIndexOp::create(builder, loc, offset));
}

Value PackedTile::bytes(Value offset, int64_t count) {
  return vector::LoadOp::create(builder, loc, VectorType::get({count}, builder.getI8Type()), memory, offset);
}

void PackedTile::setTile(Value tile) {
  Value size = arith::ConstantIndexOp::create(builder, loc, formats::tileBytes(format(), form, columns()));
  tileOffset = arith::MulIOp::create(builder, loc, tile, size);
}

Value PackedTile::blockOffset(Value block) {
  Value size = arith::ConstantIndexOp::create(builder, loc, formats::blockBytes(format(), form, blockLength(0)));
  Value within = arith::MulIOp::create(builder, loc, block, size);
  return arith::AddIOp::create(builder, loc, tileOffset, within);
}

Value PackedTile::elementOffset(Value column) {
  const int64_t bytes = form.lanes * formats::scalarBytes(format().code.scalar); // of a column
  Value within = arith::MulIOp::create(builder, loc, column, arith::ConstantIndexOp::create(builder, loc, bytes));
  return arith::AddIOp::create(builder, loc, tileOffset, within);
}

SmallVector<Value> PackedTile::levels(Value offset, Value first, int64_t count, int64_t length) {
  SmallVector<Value> lines;
  auto addLines = [&](int64_t planeOffset, int64_t vectorsPerLine, int64_t size, int64_t number) {
    Value line =
        arith::DivUIOp::create(builder, loc, first, arith::ConstantIndexOp::create(builder, loc, vectorsPerLine));
    Value from = arith::MulIOp::create(builder, loc, line, arith::ConstantIndexOp::create(builder, loc, size));
    from = arith::AddIOp::create(builder, loc, offset, plus(from, planeOffset));
    for (int64_t i = 0; i < number; ++i)
      lines.push_back(bytes(plus(from, i * size), size));
  };
  Type vector = VectorType::get({formats::lineBytes(form)}, builder.getI8Type());
  if (format().isPlain()) {
    const formats::Scalar scalar = format().code.scalar;
    const int64_t elements = formats::lineBytes(form);
    addLines(0, 1, elements * formats::scalarBytes(scalar), count);
    vector = VectorType::get({elements}, elementType(scalar, builder));
    for (Value &line : lines)
      line = vector::BitCastOp::create(builder, loc, cast<VectorType>(vector), line);
  } else {
    const formats::Planes planes = formats::planes(format().code.bits);
    for (int i = 0; i < planes.size(); ++i)
      addLines(formats::planeOffset(format(), form, length, i), planes[i].vectorsPerLine(), formats::lineBytes(form),
               formats::divideUp(count, planes[i].vectorsPerLine()));
  }
  SmallVector<Type> types(count, vector);
  SmallVector<Value> result = kernel::DecodeOp::create(builder, loc, types, lines, type.getFormat()).getCodes();
  if (format().code.kind == formats::Code::Kind::Codebook)
    for (Value &codes : result)
      codes = lookUp(codes);
  return result;
}

Value PackedTile::lookUp(Value codes) {
  SmallVector<int8_t> table;
  for (int code = 0; code <= format().code.maxCode(); ++code)
    table.push_back(static_cast<int8_t>(format().code.level(code) - form.less));
  return kernel::LookupOp::create(builder, loc, codes.getType(), codes, table);
}

/// Bytes of scalars as f32.
Value PackedTile::widen(Value bytes, formats::Scalar scalar) {
  const int64_t count = cast<VectorType>(bytes.getType()).getNumElements() / formats::scalarBytes(scalar);
  auto as = [&](Type element) {
    return vector::BitCastOp::create(builder, loc, VectorType::get({count}, element), bytes).getResult();
  };
  if (scalar == formats::Scalar::BF16)
    return widenBf16(builder, loc, as(builder.getI16Type()));
  Value stored = as(elementType(scalar, builder));
  if (scalar == formats::Scalar::F32)
    return stored;
  return arith::ExtFOp::create(builder, loc, VectorType::get({count}, builder.getF32Type()), stored);
}

Value PackedTile::steps(Value offset, int64_t length) {
  const formats::Scalar scalar = format().scale;
  Value raw =
      bytes(plus(offset, formats::scalesOffset(format(), form, length)), form.lanes * formats::scalarBytes(scalar));
  Value scales = widen(raw, scalar);
  const float unit = format().step(1);
  if (unit == 1)
    return scales;
  auto floats = cast<VectorType>(scales.getType());
  auto units = DenseElementsAttr::get(floats, builder.getF32FloatAttr(unit));
  return arith::MulFOp::create(builder, loc, scales, arith::ConstantOp::create(builder, loc, units));
}

Value PackedTile::zeros(Value offset, int64_t length) {
  if (!format().zeroPoint)
    return arith::ConstantOp::create(
        builder, loc, builder.getI32IntegerAttr(format().code.zeroLevel() - static_cast<int32_t>(form.less)));
  Value raw = bytes(plus(offset, formats::zerosOffset(format(), form, length)),
                    formats::divideUp(form.lanes * format().code.bits, 8));
  auto lanes = VectorType::get({form.lanes}, builder.getI32Type());
  Value zeros = kernel::DecodeZerosOp::create(builder, loc, lanes, raw, type.getFormat());
  if (form.less == 0)
    return zeros;
  auto less = DenseElementsAttr::get(lanes, builder.getI32IntegerAttr(static_cast<int32_t>(form.less)));
  return arith::SubIOp::create(builder, loc, zeros, arith::ConstantOp::create(builder, loc, less));
}

void PackedTile::prefetch(Value offset, int64_t bytes, int64_t ahead) {
  constexpr int64_t cacheLine = 64;
  for (int64_t at = 0; at < bytes; at += cacheLine)
    memref::PrefetchOp::create(builder, loc, memory, plus(offset, ahead + at), /*isWrite=*/false, /*localityHint=*/3,
                               /*isDataCache=*/true);
}
