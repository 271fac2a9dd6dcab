// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A key goes into a column of its tile, element by element; a value into a row.
#include "passes/lower/CacheRows.h"

#include "passes/lower/Rounding.h"

using namespace mlir;
using namespace halftone;

CacheRows::CacheRows(Value cache, OpBuilder &builder, Location loc, RowBuilder &rows, int64_t lanes)
    : type(cast<lowbit::CacheType>(cache.getType())), channels(kernel::channelsPerElement(type)), builder(builder),
      loc(loc), rows(rows), lanes(lanes), keyMemory(kernel::keysOf(cache, builder, loc)),
      valueMemory(kernel::valuesOf(cache, builder, loc)) {
  if (!hasScales())
    return;
  keyScaleMemory = kernel::keyScalesOf(cache, builder, loc);
  valueScaleMemory = kernel::valueScalesOf(cache, builder, loc);
}

SmallVector<Value> CacheRows::keys(const CachePlace &place, Value element) {
  return unpack(rows.load(keyMemory, {place.tile, place.head, element, place.within}, {}));
}

SmallVector<Value> CacheRows::values(const CachePlace &place, Value element, Value mask) {
  return unpack(rows.load(valueMemory, {place.tile, place.head, place.within, element}, mask));
}

Value CacheRows::keyScales(const CachePlace &place) {
  return rows.load(keyScaleMemory, {place.tile, place.head, rows.index(0), place.within}, {});
}

Value CacheRows::valueScales(const CachePlace &place) {
  return rows.load(valueScaleMemory, {place.tile, place.head, rows.index(0), place.within}, {});
}

/// Stored elements as vectors of f32, one for each channel of an element.
SmallVector<Value> CacheRows::unpack(Value stored) {
  VectorType f32 = rows.vectorOf(builder.getF32Type()), i32 = rows.vectorOf(builder.getI32Type());
  if (!hasScales())
    return {stored.getType() == f32 ? stored : arith::ExtFOp::create(builder, loc, f32, stored).getResult()};
  Value wide = arith::ExtSIOp::create(builder, loc, i32, stored);
  SmallVector<Value> codes = {wide};
  if (channels == 2) { // the low code's sign goes to the top and comes back
    const auto by = [&](int32_t bits) {
      return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(i32, bits)).getResult();
    };
    Value top = arith::ShLIOp::create(builder, loc, wide, by(28));
    codes = {arith::ShRSIOp::create(builder, loc, top, by(28)), arith::ShRSIOp::create(builder, loc, wide, by(4))};
  }
  return llvm::map_to_vector(codes,
                             [&](Value code) -> Value { return arith::SIToFPOp::create(builder, loc, f32, code); });
}

/// The opposite: `floats` has a vector for each channel of an element.
Value CacheRows::pack(ArrayRef<Value> floats, Value scale) {
  Type element = cast<MemRefType>(keyMemory.getType()).getElementType();
  if (!hasScales())
    return element.isF32() ? floats[0]
                           : arith::TruncFOp::create(builder, loc, rows.vectorOf(element), floats[0]).getResult();
  Value codes = roundToCodes(builder, loc, floats[0], scale, limit());
  if (channels == 2) {
    VectorType i32 = cast<VectorType>(codes.getType());
    const auto constant = [&](int32_t value) {
      return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(i32, value)).getResult();
    };
    Value low = arith::AndIOp::create(builder, loc, codes, constant(15));
    Value high =
        arith::ShLIOp::create(builder, loc, roundToCodes(builder, loc, floats[1], scale, limit()), constant(4));
    codes = arith::OrIOp::create(builder, loc, low, high);
  }
  return arith::TruncIOp::create(builder, loc, rows.vectorOf(element), codes);
}

/// absmax / limit of a head's channels.
Value CacheRows::scaleOf(Value input, Value token, Value base) {
  auto largest = rows.forEachVector(base, type.getSize(), {rows.splat(0.0f)},
                                    [&](Value column, Value mask, ValueRange best) -> SmallVector<Value> {
                                      Value x = rows.load(input, {token, column}, mask);
                                      Value magnitude = math::AbsFOp::create(builder, loc, x);
                                      return {arith::MaximumFOp::create(builder, loc, best[0], magnitude)};
                                    });
  Value absmax = vector::ReductionOp::create(builder, loc, vector::CombiningKind::MAXIMUMF, largest[0]);
  Value divisor = arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(limit()));
  return arith::DivFOp::create(builder, loc, absmax, divisor);
}

void CacheRows::write(Value input, Value token, Value base, Value scales, const CachePlace &place, Store store) {
  Value scale;
  if (hasScales()) {
    scale = scaleOf(input, token, base);
    memref::StoreOp::create(builder, loc, scale, scales,
                            ValueRange{place.tile, place.head, rows.index(0), place.within});
  }
  rows.forEachVector(rows.index(0), elements(), [&](Value element, Value mask) {
    SmallVector<Value> floats;
    for (int64_t i = 0; i < channels; ++i) {
      Value channel = arith::AddIOp::create(builder, loc, element, rows.index(i * elements()));
      floats.push_back(rows.load(input, {token, arith::AddIOp::create(builder, loc, base, channel)}, mask));
    }
    store(element, mask, pack(floats, scale));
  });
}

void CacheRows::append(const CachePlace &place, Value key, Value value, Value token, Value base) {
  write(key, token, base, keyScaleMemory, place, [&](Value element, Value mask, Value stored) {
    for (int64_t i = 0, count = mask ? elements() % lanes : lanes; i < count; ++i) {
      Value row = arith::AddIOp::create(builder, loc, element, rows.index(i));
      Value one = vector::ExtractOp::create(builder, loc, stored, i);
      memref::StoreOp::create(builder, loc, one, keyMemory, ValueRange{place.tile, place.head, row, place.within});
    }
  });
  write(value, token, base, valueScaleMemory, place, [&](Value element, Value mask, Value stored) {
    rows.store(stored, valueMemory, {place.tile, place.head, place.within, element}, mask);
  });
}
