// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The activation contract.
#include "lib/formats/Activations.h"
#include "lib/formats/Format.h"

#include <cmath>
#include <gmock/gmock.h>
#include <limits>
#include <random>

using namespace halftone::formats;
using testing::ElementsAre;
using testing::ElementsAreArray;

namespace {

struct Activations {
  std::vector<int8_t> codes;
  std::vector<float> scales;
  std::vector<int32_t> sums;

  Activations(const std::vector<float> &row, int64_t block) : codes(row.size()) {
    scales.resize(Format::integer(8, block).blockCount(row.size()));
    sums.resize(scales.size());
    quantizeActivations(row, block, codes, scales, sums);
  }
};

TEST(Activations, FollowTheContract) {
  // Block 1: scale 127 / 127. Block 2: zeros. Block 3, short: scale 254 / 127.
  const Activations row({127, -127, 0.5f, 1.5f, 0, -0.0f, 0, 0, -254, 3}, 4);
  EXPECT_THAT(row.scales, ElementsAre(1, 0, 2));
  EXPECT_THAT(row.codes, ElementsAre(127, -127, 0, 2, 0, 0, 0, 0, -127, 2));
  EXPECT_THAT(row.sums, ElementsAre(2, 0, -125));
}

TEST(Activations, MatchTheFormulasWrittenPlainly) {
  std::mt19937 random(3);
  std::normal_distribution<float> distribution(0, 5);
  for (size_t columns : {1, 31, 288, 300})
    for (size_t block : {0, 16, 32, 256}) {
      std::vector<float> row(columns);
      std::ranges::generate(row, [&] { return distribution(random); });
      const Activations actual(row, block);
      const size_t step = block == 0 ? columns : block;
      for (size_t start = 0, b = 0; start < columns; start += step, ++b) {
        float absmax = 0;
        int sum = 0;
        const size_t end = std::min(columns, start + step);
        for (size_t i = start; i < end; ++i)
          absmax = std::max(absmax, std::fabs(row[i]));
        ASSERT_EQ(actual.scales[b], absmax / 127);
        for (size_t i = start; i < end; ++i) {
          ASSERT_EQ(actual.codes[i], std::nearbyint(row[i] / (absmax / 127)));
          sum += actual.codes[i];
        }
        ASSERT_EQ(actual.sums[b], sum);
      }
    }
}

TEST(Activations, AScaleThatUnderflowsMakesAZeroBlock) {
  const Activations row({0x1p-149f, -0x1p-148f}, 0);
  EXPECT_THAT(row.scales, ElementsAre(0));
  EXPECT_THAT(row.codes, ElementsAre(0, 0));
}

TEST(Activations, ASubnormalScaleKeepsCodesInRange) {
  // 190 * 2^-149 / 127 rounds to 2^-149: the quotient 190 is clamped.
  const Activations row({190 * 0x1p-149f, -190 * 0x1p-149f}, 0);
  EXPECT_THAT(row.codes, ElementsAre(127, -127));
}

TEST(Activations, WhatIsNotFiniteShowsInTheScale) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  for (float bad : {nan, -nan, inf, -inf}) {
    const Activations row({1, -3, bad, 2}, 0);
    EXPECT_FALSE(std::isfinite(row.scales[0])) << bad;
  }
}

} // namespace
