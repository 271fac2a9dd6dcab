// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads a packed weight: the codes, scales and zero points of a block of a tile (lib/formats/Packing.h).
#pragma once

#include "dialects/kernel/Kernel.h"

namespace halftone {

/// Emits the reads of one weight in kernel layout. Offsets are in bytes from the weight's first.
class PackedTile {
public:
  PackedTile(mlir::Value handle, mlir::OpBuilder &builder, mlir::Location loc);

  formats::Format format() const { return type.getFormat().getValue(); }
  formats::KernelLayout layout() const { return form; }
  int64_t columns() const { return type.getShape()[1]; }
  int64_t blockCount() const { return format().blockCount(columns()); }
  int64_t blockLength(int64_t block) const { return format().blockLength(columns(), block); }

  /// Where tile number `tile` begins; reads below are from the tile set last.
  void setTile(mlir::Value tile);
  /// Where block number `block` of the tile begins.
  mlir::Value blockOffset(mlir::Value block);

  /// Where the elements of a plain format begin that lie from `column` on, a multiple of the layout's group.
  mlir::Value elementOffset(mlir::Value column);

  /// Vectors `first` to `first + count - 1` of a block of `length` columns that begins at `offset`: levels, less what
  /// the layout says, or the elements of a plain format. `first` is a multiple of 8, so that it begins a line of every
  /// plane.
  llvm::SmallVector<mlir::Value> levels(mlir::Value offset, mlir::Value first, int64_t count, int64_t length);
  /// What a level is worth in the block, as f32, one per lane.
  mlir::Value steps(mlir::Value offset, int64_t length);
  /// The levels that mean 0 in the block, as i32, less the same: one per lane when the format stores them, else a
  /// scalar.
  mlir::Value zeros(mlir::Value offset, int64_t length);
  /// Asks for the cache lines of `bytes` bytes, `ahead` after `offset`.
  void prefetch(mlir::Value offset, int64_t bytes, int64_t ahead);

private:
  mlir::Value lookUp(mlir::Value codes);
  mlir::Value widen(mlir::Value bytes, formats::Scalar scalar);
  mlir::Value bytes(mlir::Value offset, int64_t count);
  mlir::Value plus(mlir::Value index, int64_t offset);

  lowbit::WeightType type;
  formats::KernelLayout form;
  mlir::OpBuilder &builder;
  mlir::Location loc;
  mlir::Value memory;
  mlir::Value tileOffset;
};

} // namespace halftone
