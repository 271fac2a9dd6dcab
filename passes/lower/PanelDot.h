// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The products of a linear with many tokens: tiles decoded once into a cache, then a register tile of sums at a time.
#pragma once

#include "passes/lower/InputRows.h"
#include "passes/lower/Panel.h"

namespace halftone {

/// Emits the products of a panel of a linear's weight, `schedule.tiles` tiles, with all tokens.
class PanelDot {
public:
  /// Takes the thread's memory, at the builder: outside of loops.
  PanelDot(lowbit::LinearOp linear, kernel::ScheduleAttr schedule, mlir::OpBuilder &builder);

  /// How many tokens there are in this call.
  mlir::Value tokens() const { return count; }

  /// Computes the sums over all columns of `tiles` tiles from `firstTile` on.
  void run(mlir::Value firstTile, int64_t tiles);
  /// A token's sums of tile number `tile` of those: one f32 vector.
  mlir::Value sum(mlir::Value token, int64_t tile);

private:
  using Values = llvm::SmallVector<mlir::Value>;

  void clearSums(int64_t tiles);
  void forEachRange(llvm::function_ref<void(const BlockRange &)> body);
  void forEachGroup(llvm::function_ref<void(mlir::Value first, int64_t count)> body);
  void addRange(const BlockRange &range, int64_t tiles, mlir::Value first, int64_t count);
  Values addBlock(const BlockRange &range, mlir::Value block, int64_t tiles, mlir::Value first,
                  mlir::ValueRange totals);
  Values addVectors(mlir::Value firstVector, mlir::Value firstColumn, int64_t vectors, int64_t tiles,
                    mlir::Value firstToken, mlir::ValueRange accumulators);
  void setSum(mlir::Value vector, mlir::Value token, int64_t tile);
  mlir::Value index(int64_t value);
  mlir::Value plus(mlir::Value index, int64_t offset);

  mlir::OpBuilder &builder;
  mlir::Location loc;
  kernel::ScheduleAttr schedule;
  int64_t most; // tokens
  formats::Format format;
  int64_t length, blocks, lastLength; // of all blocks but the last; how many; of the last
  int64_t blocksAtOnce;
  InputRows input;
  Panel panel;
  mlir::Value count;  // of tokens in this call
  mlir::Value memory; // sums: [token][tile][lane]
};

} // namespace halftone
