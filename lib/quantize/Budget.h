// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The multiple-choice knapsack: one format for each weight, so that all fit and lose as little as possible.
#pragma once

#include "lib/io/Result.h"

#include <cstdint>
#include <span>
#include <vector>

namespace halftone::quantize {

/// What a weight costs in one format, and what the model loses by it.
struct Choice {
  uint64_t bytes = 0;
  double damage = 0;
};

struct Allocation {
  /// For each item the index of its choice.
  std::vector<size_t> chosen;
  uint64_t bytes = 0;
  double damage = 0;
  /// How much less damage any other allocation could do at most, as a share of this one's; 0: none could.
  double gap = 0;
};

/// Chooses for each item so that the sum of damages is least among all with a sum of bytes of at most `budget`. The
/// search keeps, item by item, the partial sums that no other one beats in both bytes and damage [Nemhauser and Ullmann
/// 1969], without those that a Lagrangian bound rules out; at most `width` of them, those of least bound. Only when it
/// has to let go of some can there be a gap.
/// \returns an error naming the least bytes when the budget is below.
Expected<Allocation> allocate(std::span<const std::vector<Choice>> items, uint64_t budget, size_t width = 4096);

} // namespace halftone::quantize
