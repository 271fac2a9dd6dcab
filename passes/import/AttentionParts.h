// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The parts of an attention found in a graph, each by evaluation at one binding.
#pragma once

#include "passes/import/Evaluate.h"

namespace halftone::importer {

/// Channels of an activation, heads * size of them from `first` on, that stand split into heads.
struct HeadRows {
  mlir::Value activation;
  int64_t first = 0;
  int64_t heads = 0, size = 0;
  mlir::Value past; ///< the argument of past keys or values before it; null without

  bool operator==(const HeadRows &) const = default;
};

/// A mask on the scores: added to them, or choosing between them and a very negative number.
struct Mask {
  mlir::Value value;
  bool isCondition = false;
  bool keepsWhere = true; ///< a condition: which of its values keeps the score
};

/// result = softmax(scale * queries keys^T, masked) values.
struct Attention {
  NodeOp softmax;
  NodeOp scores;  ///< queries times keys
  NodeOp product; ///< probabilities times values
  mlir::Value result;
  HeadRows queries, keys, values;
  float scale = 1;
  llvm::SmallVector<Mask> masks;
  llvm::SmallVector<mlir::Value> guards; ///< conditions that must never hold
};

/// Masked scores are at most this; the smallest finite float16 is far below.
inline constexpr float maskedScore = -1e4f;

/// Whether a known condition holds nowhere.
inline bool neverHolds(const Tensor &condition) {
  return condition.content == Tensor::Content::Integers &&
         llvm::all_of(condition.integers, [](int64_t x) { return x == 0; });
}

/// Each fills in its part or says which node is not understood, and why.
llvm::LogicalResult findScores(Attention &attention, Evaluator &evaluator);
llvm::LogicalResult findProduct(Attention &attention, Evaluator &evaluator);
llvm::LogicalResult findQueries(Attention &attention, Evaluator &evaluator);
llvm::LogicalResult findKeysAndValues(Attention &attention, Evaluator &evaluator);

/// The masks together let token t see exactly the positions up to its own.
llvm::LogicalResult checkMask(const Attention &attention, Evaluator &evaluator, Binding binding);

/// The same at the ends: without a past, where most is masked, and where a window would show: for the last token of the
/// context, or, in a graph without a past, for more tokens than any number in the mask.
llvm::LogicalResult checkEnds(const Attention &attention, WeightFiles &files, int64_t context);

} // namespace halftone::importer
