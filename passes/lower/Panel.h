// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Some tiles of a weight over some blocks of columns, as many tokens read them again and again.
#pragma once

#include "passes/lower/PackedTile.h"

namespace halftone {

/// Consecutive blocks of a weight's columns, all of one length. A plain weight, which has no blocks of its own, is cut
/// into some.
struct BlockRange {
  mlir::Value first;
  int64_t count = 0;
  int64_t length = 0;
  mlir::Value column; // the first block's first
};

/// Emits the decoding of a range of blocks into memory of the thread, next to each other what a step along the columns
/// reads: `[vector of columns][tile]`. Plain elements stay where they are.
class Panel {
public:
  /// Takes memory for `tiles` tiles and `blocks` blocks, at the builder: outside of loops.
  Panel(mlir::Value weight, int64_t tiles, int64_t blocks, mlir::OpBuilder &builder, mlir::Location loc);

  const PackedTile &weight() const { return packed; }

  /// Decodes the range of `tiles` tiles from `firstTile` on; reads below are from it.
  void decode(mlir::Value firstTile, int64_t tiles, const BlockRange &range);
  /// Vector number `vector` of the range: levels, or elements.
  mlir::Value levels(mlir::Value vector, int64_t tile);
  /// What a level is worth in block number `block` of the range, as f32, one per lane.
  mlir::Value steps(mlir::Value block, int64_t tile);
  /// The level that means 0 there, as i32: one per lane when the format stores them, else a scalar.
  mlir::Value zeros(mlir::Value block, int64_t tile);

private:
  void decodeBlock(int64_t tile, mlir::Value offset, mlir::Value block, int64_t length);
  mlir::Value allocate(int64_t outer, int64_t tiles, int64_t lanes, mlir::Type element);
  mlir::Value load(mlir::Value memory, mlir::Value outer, int64_t tile);
  void store(mlir::Value vector, mlir::Value memory, mlir::Value outer, int64_t tile);
  mlir::Value index(int64_t value);

  mlir::OpBuilder &builder;
  mlir::Location loc;
  PackedTile packed;
  mlir::Value levelMemory, stepMemory, zeroMemory;
  llvm::SmallVector<mlir::Value> plainOffsets; // of each tile's first element in the range
  int64_t length = 0;
};

} // namespace halftone
