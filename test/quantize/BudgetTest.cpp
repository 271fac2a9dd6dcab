// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The knapsack against trying everything, and what it says when it cannot try everything.
#include "lib/quantize/Budget.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <random>

using namespace halftone;
using namespace halftone::quantize;

namespace {

using Items = std::vector<std::vector<Choice>>;

/// Items whose choices cost more and mostly damage less, as formats do.
Items randomItems(size_t count, size_t choices, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  Items items(count);
  for (std::vector<Choice> &item : items) {
    const double size = 1 + 9 * uniform(random), weight = std::exp(3 * uniform(random));
    for (size_t i = 0; i < choices; ++i)
      item.push_back({static_cast<uint64_t>(100 * size * static_cast<double>(i + 1)),
                      weight * std::exp(-1.2 * static_cast<double>(i)) * (0.5 + uniform(random))});
  }
  return items;
}

/// The least damage of all combinations from `item` on that fit; infinite when none does.
double leastDamage(const Items &items, size_t item, uint64_t budget) {
  if (item == items.size())
    return 0;
  double least = HUGE_VAL;
  for (const Choice &choice : items[item])
    if (choice.bytes <= budget)
      least = std::min(least, choice.damage + leastDamage(items, item + 1, budget - choice.bytes));
  return least;
}

uint64_t smallest(const Items &items) {
  uint64_t sum = 0;
  for (const std::vector<Choice> &item : items)
    sum += std::ranges::min(item, {}, &Choice::bytes).bytes;
  return sum;
}

uint64_t largest(const Items &items) {
  uint64_t sum = 0;
  for (const std::vector<Choice> &item : items)
    sum += std::ranges::max(item, {}, &Choice::bytes).bytes;
  return sum;
}

/// Checks the sums against what was chosen.
void expectConsistent(const Items &items, const Allocation &allocation, uint64_t budget) {
  uint64_t bytes = 0;
  double damage = 0;
  ASSERT_EQ(allocation.chosen.size(), items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    bytes += items[i][allocation.chosen[i]].bytes;
    damage += items[i][allocation.chosen[i]].damage;
  }
  EXPECT_EQ(allocation.bytes, bytes);
  EXPECT_NEAR(allocation.damage, damage, 1e-9 * damage); // sums in another order
  EXPECT_LE(bytes, budget);
}

TEST(Budget, FindsTheLeastDamage) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    const Items items = randomItems(1 + seed % 8, 1 + seed % 4, seed);
    const uint64_t low = smallest(items), high = largest(items);
    for (uint64_t part = 0; part <= 4; ++part) {
      const uint64_t budget = low + (high - low) * part / 4;
      const auto allocation = allocate(items, budget);
      ASSERT_TRUE(allocation);
      expectConsistent(items, *allocation, budget);
      const double least = leastDamage(items, 0, budget);
      EXPECT_NEAR(allocation->damage, least, 1e-9 * least) << "seed " << seed << ", budget " << budget;
      EXPECT_EQ(allocation->gap, 0);
    }
  }
}

TEST(Budget, StatesItsGapWhenItCannotTryAll) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    const Items items = randomItems(8, 4, seed);
    const uint64_t budget = (smallest(items) + largest(items)) / 2;
    const auto allocation = allocate(items, budget, /*width=*/1);
    ASSERT_TRUE(allocation);
    expectConsistent(items, *allocation, budget);
    EXPECT_GE(leastDamage(items, 0, budget), allocation->damage * (1 - allocation->gap) * (1 - 1e-9));
  }
}

TEST(Budget, TakesManyItems) {
  const Items items = randomItems(1000, 6, 1);
  const uint64_t budget = (smallest(items) + largest(items)) / 2;
  const auto allocation = allocate(items, budget);
  ASSERT_TRUE(allocation);
  expectConsistent(items, *allocation, budget);
  EXPECT_LT(allocation->gap, 1e-4);
}

TEST(Budget, TakesWhatDamagesLeastNotWhatIsLargest) {
  const Items items = {{{10, 1}, {20, 2}}};
  const auto allocation = allocate(items, 100);
  ASSERT_TRUE(allocation);
  EXPECT_THAT(allocation->chosen, testing::ElementsAre(0));
}

TEST(Budget, SaysWhatTheLeastSizeIs) {
  const Items items = {{{10, 1}, {20, 0}}, {{5, 0}}};
  const auto allocation = allocate(items, 14);
  ASSERT_FALSE(allocation);
  EXPECT_EQ(allocation.error().message, "the smallest possible size is 15 bytes, 14 are allowed");
  EXPECT_TRUE(allocate(items, 15));
  EXPECT_TRUE(allocate({}, 0));
}

} // namespace
