// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Comparing what a kernel wrote with what it should have written.
#pragma once

#include "test/kernels/Compiled.h"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>

namespace halftone::test {

/// Unit roundoff of f32: one operation is off by at most this part of its result.
inline constexpr double roundoff = 0x1p-24;

/// How much was compared, and how much of a bound was ever needed: for the line at the end of the test.
struct Tally {
  int64_t cases = 0, values = 0, exact = 0;
  double largestPart = 0;
};
Tally &tally();

/// The same bits, or two NaNs.
inline bool isSame(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) || (std::isnan(a) && std::isnan(b));
}

/// Checks one result. `bound` 0 means that the bits must be the same; where one of the two is not finite, neither may
/// be.
inline bool isWithin(float actual, float expected, double bound) {
  ++tally().values;
  if (isSame(actual, expected)) {
    ++tally().exact;
    return true;
  }
  if (bound == 0)
    return false;
  if (!std::isfinite(actual) || !std::isfinite(expected))
    return !std::isfinite(actual) && !std::isfinite(expected);
  const double part = std::fabs(static_cast<double>(actual) - expected) / bound;
  tally().largestPart = std::max(tally().largestPart, part);
  return part <= 1;
}

/// Compares [rows, columns] values; `bound(row, column)` says how far they may be apart. Fails at the first that is
/// not.
template <class Bound>
void expectWithin(std::span<const float> actual, std::span<const float> expected, int64_t columns, Bound bound) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    const int64_t row = i / columns, column = i % columns;
    const double allowed = bound(row, column);
    ASSERT_TRUE(isWithin(actual[i], expected[i], allowed))
        << "at [" << row << ", " << column << "]: " << actual[i] << " instead of " << expected[i] << ", apart by "
        << std::fabs(static_cast<double>(actual[i]) - expected[i]) << ", allowed " << allowed;
  }
}

inline void expectSame(std::span<const float> actual, std::span<const float> expected, int64_t columns) {
  expectWithin(actual, expected, columns, [](int64_t, int64_t) { return 0.0; });
}

/// In a test's body: leaves it when the processor cannot run the way.
#define SKIP_WHEN_MISSING(way)                                                                                         \
  if (const std::string missing = whatIsMissing(way); !missing.empty())                                                \
  GTEST_SKIP() << (way).name() << ": this processor has no " << missing

} // namespace halftone::test
