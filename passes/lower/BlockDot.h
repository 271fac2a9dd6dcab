// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The inner loop of matrix products with few tokens: decode a block, one dot per token, scale.
#pragma once

#include "passes/lower/InputRows.h"
#include "passes/lower/PackedTile.h"

namespace halftone {

/// Emits the products of one tile of a linear's weight with some tokens.
class BlockDot {
public:
  BlockDot(lowbit::LinearOp linear, kernel::ScheduleAttr schedule, mlir::OpBuilder &builder);

  /// The sums over all columns of tile number `tile` for `count` tokens from `first` on: one f32 vector per token.
  llvm::SmallVector<mlir::Value> sums(mlir::Value tile, mlir::Value first, int64_t count);

private:
  using Values = llvm::SmallVector<mlir::Value>;

  Values plainSums(mlir::Value first, int64_t count);
  Values blockSums(mlir::Value first, int64_t count);
  Values addBlock(mlir::Value block, mlir::Value first, int64_t length, mlir::ValueRange totals);
  Values steps(mlir::Value blockOffset, mlir::Value firstCode, mlir::Value firstToken, int64_t length,
               mlir::ValueRange accumulators);
  Values step(mlir::Value blockOffset, mlir::Value firstVector, mlir::Value firstCode, mlir::Value firstToken,
              int64_t length, int64_t columns, mlir::ValueRange accumulators);
  mlir::Value start(mlir::Value zeros, mlir::Value block, mlir::Value token);
  mlir::Value constant(int64_t value);
  mlir::Value plus(mlir::Value index, int64_t offset);

  mlir::OpBuilder &builder;
  mlir::Location loc;
  int64_t lanes;
  mlir::StringAttr dot;
  /// How far ahead weights are asked for when each is read once, in bytes; 0: not at all.
  int64_t ahead;
  InputRows input;
  PackedTile weight;
};

} // namespace halftone
