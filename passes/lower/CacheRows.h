// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Keys and values of a cache, whatever it stores them in, as vectors of f32.
#pragma once

#include "passes/lower/RowBuilder.h"

namespace halftone {

/// Where a position stands in a cache.
struct CachePlace {
  mlir::Value tile, head, within;
};

/// Emits reads of one cache, and appending to it.
class CacheRows {
public:
  CacheRows(mlir::Value cache, mlir::OpBuilder &builder, mlir::Location loc, RowBuilder &rows, int64_t lanes);

  /// Elements that a head's channels take. Number e holds the channels e + i * elements(), i < channelsPerElement().
  int64_t elements() const { return type.getSize() / channels; }
  int64_t channelsPerElement() const { return channels; }
  /// Whether what is read must be multiplied by a scale.
  bool hasScales() const { return !type.getStored().isPlain(); }

  /// The channels of `element` of the keys at `lanes` positions from `place` on, without their scales.
  llvm::SmallVector<mlir::Value> keys(const CachePlace &place, mlir::Value element);
  /// The channels of `lanes` elements from `element` on of the value at `place`, without its scale.
  llvm::SmallVector<mlir::Value> values(const CachePlace &place, mlir::Value element, mlir::Value mask);
  /// The scales at `lanes` positions from `place` on.
  mlir::Value keyScales(const CachePlace &place);
  mlir::Value valueScales(const CachePlace &place);

  /// Stores the channels from `base` on of a token's key and value in these buffers.
  void append(const CachePlace &place, mlir::Value key, mlir::Value value, mlir::Value token, mlir::Value base);

private:
  using Store = llvm::function_ref<void(mlir::Value element, mlir::Value mask, mlir::Value stored)>;
  void write(mlir::Value input, mlir::Value token, mlir::Value base, mlir::Value scales, const CachePlace &place,
             Store store);
  mlir::Value scaleOf(mlir::Value input, mlir::Value token, mlir::Value base);
  /// The largest code.
  float limit() const { return static_cast<float>((1 << (type.getStored().code.bits - 1)) - 1); }
  llvm::SmallVector<mlir::Value> unpack(mlir::Value stored);
  mlir::Value pack(llvm::ArrayRef<mlir::Value> floats, mlir::Value scale);

  lowbit::CacheType type;
  int64_t channels;
  mlir::OpBuilder &builder;
  mlir::Location loc;
  RowBuilder &rows;
  int64_t lanes;
  mlir::Value keyMemory, valueMemory, keyScaleMemory, valueScaleMemory;
};

} // namespace halftone
