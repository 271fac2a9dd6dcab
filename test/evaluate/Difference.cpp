// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/evaluate/Difference.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

namespace halftone::evaluate {
namespace {

constexpr float infinite = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();

double relative(const std::vector<float> &reference, const std::vector<float> &values) {
  Difference difference;
  difference.add(reference, values);
  return difference.relative();
}

TEST(Difference, IsAPartOfTheReference) {
  EXPECT_EQ(relative({3, 4}, {3, 4}), 0);
  EXPECT_DOUBLE_EQ(relative({3, 4}, {3, 4.5}), 0.1); // sqrt(0.25 / 25)
  EXPECT_DOUBLE_EQ(relative({3, 4}, {0, 0}), 1);
}

TEST(Difference, AddsUp) {
  Difference difference;
  difference.add(std::vector<float>{3}, std::vector<float>{3});
  difference.add(std::vector<float>{4}, std::vector<float>{4.5});
  EXPECT_DOUBLE_EQ(difference.relative(), 0.1);
}

TEST(Difference, KnowsWhatIsNoNumber) {
  EXPECT_EQ(relative({}, {}), 0);
  EXPECT_EQ(relative({0, 0}, {0, 1}), std::numeric_limits<double>::infinity());
  EXPECT_EQ(relative({1, nan}, {1, nan}), 0);
  EXPECT_EQ(relative({1, infinite}, {1, infinite}), 0);
  EXPECT_EQ(relative({1, nan}, {1, 2}), std::numeric_limits<double>::infinity());
  EXPECT_EQ(relative({1, 2}, {1, infinite}), std::numeric_limits<double>::infinity());
}

} // namespace
} // namespace halftone::evaluate
