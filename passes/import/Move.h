// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How an operator moves elements: for every element of a result, which element of which input it is.
#pragma once

#include "passes/import/Operator.h"

#include <functional>

namespace halftone::importer {

/// Where an element comes from: input << inputShift | index, or `zero`.
using Source = int64_t;
inline constexpr int inputShift = 44;
inline constexpr Source zero = -1;

/// A result of a movement. Sources are made only where elements are known.
struct Move {
  llvm::SmallVector<int64_t> shape;
  std::function<std::vector<Source>()> sources;
};
using Moves = std::optional<llvm::SmallVector<Move, 1>>;

/// A single result of `shape`.
inline Moves oneMove(llvm::ArrayRef<int64_t> shape, std::function<std::vector<Source>()> sources) {
  return llvm::SmallVector<Move, 1>{Move{llvm::SmallVector<int64_t>(shape), std::move(sources)}};
}

/// Selections (Selection.cpp): elements from several places.
Moves concat(const Call &call);
Moves gather(const Call &call);
Moves gatherND(const Call &call);
Moves tile(const Call &call);
Moves trilu(const Call &call);
Moves where(const Call &call);

/// The result of a move, with elements where the inputs from `firstData` on have them: integers, floats and linear
/// forms move alike.
Tensor carryOut(const Move &move, const Call &call, size_t firstData);

} // namespace halftone::importer
