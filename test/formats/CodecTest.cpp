// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The encoder's formulas on cases worked out by hand, and its properties over every format.
#include "lib/formats/Codec.h"
#include "lib/formats/EncodedRow.h"
#include "test/formats/AllFormats.h"

#include <cmath>
#include <gmock/gmock.h>
#include <limits>
#include <numeric>
#include <random>

using namespace halftone;
using namespace halftone::formats;
using testing::Each;
using testing::ElementsAre;
using testing::ElementsAreArray;

namespace {

/// A row, encoded; fails the test when that is an error.
RowBuffer encode(const Format &format, const std::vector<float> &row) {
  RowBuffer buffer(format, row.size());
  const Status status = encodeRow(format, row, buffer.row());
  EXPECT_TRUE(status) << status.error().message;
  return buffer;
}

std::vector<float> decode(const Format &format, EncodedRowView row, size_t columns) {
  std::vector<float> values(columns);
  decodeRow(format, row, values);
  return values;
}

std::vector<float> randomRow(size_t columns, float magnitude, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> distribution(-magnitude, magnitude);
  std::vector<float> row(columns);
  std::ranges::generate(row, [&] { return distribution(random); });
  return row;
}

/// The signed codes of a symmetric row.
std::vector<int> signedCodes(const Format &format, EncodedRowView row) {
  std::vector<int> codes;
  for (uint8_t code : row.codes)
    codes.push_back(code - format.code.zeroLevel());
  return codes;
}

TEST(Codec, SymmetricScaleHasTheOppositeSignOfTheLargestValue) {
  const Format format = Format::integer(4, 4);
  // Blocks: largest -8: scale 1. Largest +8: scale -1, so that the code -8 is the largest value again.
  const RowBuffer row = encode(format, {-8, 7, 1, 0, 8, -7, 1, 0});
  EXPECT_THAT(row.view().scales, ElementsAre(1, -1));
  EXPECT_THAT(signedCodes(format, row.view()), ElementsAre(-8, 7, 1, 0, -8, 7, -1, 0));
  EXPECT_THAT(decode(format, row.view(), 8), ElementsAre(-8, 7, 1, 0, 8, -7, 1, 0));
}

TEST(Codec, SymmetricClampsTheOtherEndOfTheRange) {
  const Format format = Format::integer(4, 0);
  // Of -8 and 8 the first decides the sign; the other would need code +8 and gets 7.
  EXPECT_THAT(decode(format, encode(format, {0, 8, -8}).view(), 3), ElementsAre(0, 8, -7));
  EXPECT_THAT(decode(format, encode(format, {0, -8, 8}).view(), 3), ElementsAre(0, -8, 7));
}

TEST(Codec, TiesGoToEvenCodes) {
  const Format format = Format::integer(4, 0);
  const RowBuffer row = encode(format, {-8, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f});
  EXPECT_THAT(signedCodes(format, row.view()), ElementsAre(-8, 0, 2, 2, 0, -2, -2));
}

TEST(Codec, EightBitsSymmetricAreBalanced) {
  const Format format = Format::integer(8, 0);
  const RowBuffer row = encode(format, {-127, 127, 63.5f, 64.5f, 1, 0});
  EXPECT_THAT(row.view().scales, ElementsAre(1));
  EXPECT_THAT(signedCodes(format, row.view()), ElementsAre(-127, 127, 64, 64, 1, 0));
  // Scale 254 / 127 = 2, positive whatever the sign of the largest value.
  EXPECT_THAT(encode(format, {254, -254}).view().scales, ElementsAre(2));
}

TEST(Codec, ZeroPointIsRoundedAndShiftsEveryCode) {
  const Format format = Format::integer(4, 0, Scalar::F16, true);
  // lo -5, hi 10: scale 15 / 15, zero 5.
  const RowBuffer row = encode(format, {-5, 10, 0, 2.5f, 3.5f});
  EXPECT_THAT(row.view().scales, ElementsAre(1));
  EXPECT_THAT(row.view().zeros, ElementsAre(5));
  EXPECT_THAT(row.view().codes, ElementsAre(0, 15, 5, 7, 9));
  // lo -2.5: scale 1, zero round(2.5) = 2, so -2.5 becomes round(-2.5) + 2 = 0 and 12.5 round(12.5) + 2 = 14.
  const RowBuffer tie = encode(format, {-2.5f, 12.5f});
  EXPECT_THAT(tie.view().zeros, ElementsAre(2));
  EXPECT_THAT(tie.view().codes, ElementsAre(0, 14));
}

TEST(Codec, ZeroPointRangeAlwaysHoldsZero) {
  const Format format = Format::integer(4, 2, Scalar::F32, true);
  const RowBuffer row = encode(format, {15, 30, -30, -15});
  EXPECT_THAT(row.view().scales, ElementsAre(2, 2));
  EXPECT_THAT(row.view().zeros, ElementsAre(0, 15));
  EXPECT_THAT(decode(format, row.view(), 4), ElementsAre(16, 30, -30, -16));
}

TEST(Codec, TheScaleIsRoundedBeforeCodesAreChosen) {
  // 1 / -8 * 1.001 is no bf16; the code comes from the stored scale.
  const Format format = Format::integer(8, 0, Scalar::BF16);
  const float largest = 1.001f, stored = roundTo(Scalar::BF16, largest / 127);
  ASSERT_NE(stored, largest / 127);
  const float weight = 0.5f;
  const RowBuffer row = encode(format, {largest, weight});
  EXPECT_THAT(row.view().scales, ElementsAre(stored));
  EXPECT_EQ(row.view().codes[1] - 128, std::nearbyint(weight / stored));
  EXPECT_NE(std::nearbyint(weight / stored), std::nearbyint(weight / (largest / 127)));
}

TEST(Codec, ZerosGiveScaleZeroAndTheZeroCode) {
  for (const Format &format : integerFormats({0, 16}))
    for (float zero : {0.0f, -0.0f}) {
      const RowBuffer row = encode(format, std::vector<float>(20, zero));
      for (float scale : row.view().scales)
        EXPECT_EQ(std::bit_cast<uint32_t>(scale), 0u) << name(format);
      EXPECT_THAT(row.view().codes, Each(format.zeroPoint ? 0 : format.code.zeroLevel()));
      EXPECT_THAT(row.view().zeros, Each(0));
      EXPECT_THAT(decode(format, row.view(), 20), Each(0.0f));
    }
}

TEST(Codec, AScaleThatVanishesWhenStoredMakesAZeroBlock) {
  // 2^-26 / 8 rounds to 0 in f16, not in f32.
  const std::vector<float> tiny = {-0x1p-26f, 0x1p-27f};
  for (bool zeroPoint : {false, true}) {
    const Format narrow = Format::integer(4, 0, Scalar::F16, zeroPoint);
    EXPECT_THAT(encode(narrow, tiny).view().scales, ElementsAre(0));
    EXPECT_THAT(decode(narrow, encode(narrow, tiny).view(), 2), Each(0.0f));
  }
  const Format wide = Format::integer(4, 0, Scalar::F32);
  EXPECT_THAT(decode(wide, encode(wide, tiny).view(), 2), ElementsAreArray(tiny));
}

TEST(Codec, ASubnormalScaleClampsCodes) {
  // Largest -12 * 2^-24: scale 1.5 * 2^-24 rounds to 2^-23 (tie to even); largest -11: 1.375 to 2^-24, and -11 to -8.
  const Format format = Format::integer(4, 0);
  const RowBuffer even = encode(format, {-12 * 0x1p-24f});
  EXPECT_THAT(even.view().scales, ElementsAre(0x1p-23f));
  EXPECT_THAT(signedCodes(format, even.view()), ElementsAre(-6));
  const RowBuffer clamped = encode(format, {-11 * 0x1p-24f});
  EXPECT_THAT(clamped.view().scales, ElementsAre(0x1p-24f));
  EXPECT_THAT(signedCodes(format, clamped.view()), ElementsAre(-8));
}

TEST(Codec, HugeWeightsSaturateTheScaleAndStayFinite) {
  // The range of -huge..huge exceeds f32, its scale does not.
  const float huge = 0.6f * std::numeric_limits<float>::max();
  for (const Format &format : integerFormats({0}))
    for (const std::vector<float> &weights : {std::vector{huge, 1.0f, 0.0f}, std::vector{-huge, huge, 0.0f}}) {
      const RowBuffer row = encode(format, weights);
      EXPECT_LE(std::fabs(row.view().scales[0]), maxFinite(format.scale)) << name(format);
      if (format.scale == Scalar::F16)
        EXPECT_EQ(std::fabs(row.view().scales[0]), 65504) << name(format);
      const std::vector<float> values = decode(format, row.view(), 3);
      EXPECT_TRUE(std::isfinite(values[0]) && std::isfinite(values[1])) << name(format);
      EXPECT_GE(std::copysign(values[0], weights[0] * values[0]), 65504) << name(format);
      EXPECT_EQ(values[2], 0) << name(format);
    }
}

/// With the scale fixed by a value that needs it, every code decodes to a value that encodes to that code again.
TEST(Codec, EveryCodeSurvivesDecodingAndEncoding) {
  int cases = 0;
  for (const Format &format : integerFormats({0}))
    for (int zero = 0; zero <= (format.zeroPoint ? format.code.maxCode() : 0); ++zero)
      for (float scale : {1.0f, 0.25f, -0.5f, 0x1.8p-9f}) {
        if (scale < 0 && (format.zeroPoint || format.code.isBalanced()))
          continue;
        RowBuffer row(format, format.code.maxCode() + 1), again = row;
        std::iota(row.row().codes.begin(), row.row().codes.end(), uint8_t(0));
        if (format.code.isBalanced() && !format.zeroPoint)
          row.row().codes[0] = 1; // -128 is no code of balanced formats
        row.row().scales[0] = scale;
        if (format.zeroPoint)
          row.row().zeros[0] = zero;
        const std::vector<float> values = decode(format, row.view(), row.view().codes.size());
        ASSERT_TRUE(encodeRow(format, values, again.row()));
        ASSERT_THAT(again.view().codes, ElementsAreArray(row.view().codes)) << name(format) << " zero " << zero;
        ASSERT_THAT(again.view().scales, ElementsAre(scale)) << name(format);
        ASSERT_THAT(again.view().zeros, ElementsAreArray(row.view().zeros));
        ++cases;
      }
  int expected = 0;
  for (const auto &[code, mayHaveZeroPoint, activations] : elements())
    if (code.kind == Code::Kind::Integer)
      expected += (code.isBalanced() ? 3 : 4) + (mayHaveZeroPoint ? 3 * (code.maxCode() + 1) : 0);
  EXPECT_EQ(cases, expected * static_cast<int>(std::size(allScalars)));
}

/// A weight inside the range of the codes is at most half a step from what it decodes to. In f32: w / scale is off by
/// at most 2^-24 of itself, |w / scale| <= 256, so the nearest code is missed by at most 2^-16 of a step; the product
/// and the scale add 2^-24 of |w|.
TEST(Codec, DecodedIsWithinHalfAStepInsideTheRange) {
  int64_t inside = 0, weights = 0;
  for (const Format &format : integerFormats({0, 1, 16, 32, 64, 128}))
    for (size_t columns : {1, 31, 300}) {
      const std::vector<float> row = randomRow(columns, 0.3f, columns);
      const RowBuffer encoded = encode(format, row);
      const std::vector<float> values = decode(format, encoded.view(), columns);
      for (int64_t b = 0; b < format.blockCount(columns); ++b) {
        const float scale = encoded.view().scales[b];
        const int zero = format.zeroPoint ? encoded.view().zeros[b] : format.code.zeroLevel();
        const int lowest = format.code.isBalanced() && !format.zeroPoint ? 1 : 0;
        for (int64_t i = format.blockStart(b); i < format.blockStart(b) + format.blockLength(columns, b);
             ++i, ++weights) {
          const double exact = row[i] / double(scale) + zero;
          ASSERT_GE(encoded.view().codes[i], lowest);
          ASSERT_LE(encoded.view().codes[i], format.code.maxCode());
          if (exact < lowest || exact > format.code.maxCode())
            continue;
          ++inside;
          ASSERT_LE(std::fabs(values[i] - double(row[i])),
                    std::fabs(scale) * (0.5 + 0x1p-16) + 0x1p-23 * std::fabs(row[i]))
              << name(format) << " column " << i;
        }
      }
    }
  // Symmetric formats clip one end of the range: at most one step of 2^bits, plus the rounding of scales and zeros.
  EXPECT_GT(inside, weights * 3 / 4);
}

/// The loops are written for vector code: each weight's code must not depend on where it stands in its block.
TEST(Codec, MatchesTheFormulasWrittenPlainly) {
  for (const Format &format : integerFormats({0, 7, 32}))
    for (size_t columns : {1, 17, 64, 301}) {
      const std::vector<float> row = randomRow(columns, 2, 99 + columns);
      const RowBuffer encoded = encode(format, row);
      for (int64_t b = 0; b < format.blockCount(columns); ++b) {
        const auto first = row.begin() + format.blockStart(b), last = first + format.blockLength(columns, b);
        const int half = 1 << (format.code.bits - 1), steps = (1 << format.code.bits) - 1;
        const float largest =
            *std::max_element(first, last, [](float a, float b) { return std::fabs(a) < std::fabs(b); });
        const float low = std::min(0.0f, *std::min_element(first, last)),
                    high = std::max(0.0f, *std::max_element(first, last));
        const bool balanced = format.code.bits == 8;
        float scale = format.zeroPoint ? (high - low) / steps : balanced ? std::fabs(largest) / 127 : largest / -half;
        scale = roundTo(format.scale, scale);
        ASSERT_EQ(encoded.view().scales[b], scale) << name(format);
        int zero = half, from = balanced ? -127 : -half, to = half - 1;
        if (format.zeroPoint) {
          zero = std::clamp<int>(std::nearbyint(-low / scale), 0, steps);
          from = -zero;
          to = steps - zero;
          ASSERT_EQ(encoded.view().zeros[b], zero) << name(format);
        }
        for (auto weight = first; weight != last; ++weight)
          ASSERT_EQ(encoded.view().codes[weight - row.begin()],
                    std::clamp<int>(std::nearbyint(*weight / scale), from, to) + zero);
      }
    }
}

TEST(Codec, PlainFormatsRoundEachValue) {
  const std::vector<float> row = {0.1f, -3.14159274f, 1e-30f, 1e30f, 0};
  for (Scalar scalar : allScalars) {
    const Format format = Format::plain(scalar);
    const std::vector<float> values = decode(format, encode(format, row).view(), row.size());
    for (size_t i = 0; i < row.size(); ++i)
      EXPECT_EQ(values[i], saturateTo(scalar, row[i]));
  }
  EXPECT_THAT(decode(Format::plain(Scalar::F32), encode(Format::plain(Scalar::F32), row).view(), 5),
              ElementsAreArray(row));
}

TEST(Codec, CodebooksTakeTheNearestLevel) {
  // FP4 E2M1, in units of a quarter so that the scale has to undo it: a codebook is data, whatever it holds.
  static constexpr int8_t levels[] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
  static constexpr Codebook book = {"e2m1", levels, 0.25f};
  const Format format = {.code = Code::levelsOf(book), .block = 0};
  EXPECT_EQ(format.code.bits, 4);
  EXPECT_EQ(name(format), "e2m1-row");
  // Scale 6 / 3 = 2. Ties: 2.5 is between 2 (code 4) and 3 (code 5), 1.25 between 1 (code 2) and 1.5 (code 3).
  const RowBuffer row = encode(format, {6, -6, 0, 2.5f, 1.25f, -4.9f, 1.75f});
  EXPECT_THAT(row.view().scales, ElementsAre(2));
  EXPECT_THAT(row.view().codes, ElementsAre(7, 15, testing::AnyOf(0, 8), 4, 2, 14, 4));
  EXPECT_THAT(decode(format, row.view(), 7), ElementsAre(6, -6, 0, 2, 1, -4, 2));
  for (int code = 0; code < 16; ++code) {
    const std::vector<float> exact = {6, levels[code] * 0.5f};
    EXPECT_EQ(decode(format, encode(format, exact).view(), 2)[1], levels[code] * 0.5f);
  }
  EXPECT_EQ(format.code.zeroLevel(), 12);
  EXPECT_EQ(format.code.highestLevel(), 24);
  EXPECT_EQ(format.code.level(15), 0);
}

TEST(Codec, CodebooksThatAreNotTheirMirrorImageGiveTheLargestWeightTheFurthestLevel) {
  static constexpr int8_t levels[] = {-8, -3, 1, 5};
  static constexpr Codebook book = {"skew", levels};
  const Format format = {.code = Code::levelsOf(book), .block = 2};
  // Largest -16: scale 2. Largest +16: scale -2, so that it takes the level -8 again.
  const RowBuffer row = encode(format, {-16, 10, 16, 2.5f});
  EXPECT_THAT(row.view().scales, ElementsAre(2, -2));
  EXPECT_THAT(row.view().codes, ElementsAre(0, 3, 0, 1));
  EXPECT_THAT(decode(format, row.view(), 4), ElementsAre(-16, 10, 16, 6));
}

TEST(Codec, ABlockOfZerosDecodesToZerosInEveryCodebook) {
  for (const Format &format : allFormats({0, 16}))
    if (format.code.kind == Code::Kind::Codebook)
      EXPECT_THAT(decode(format, encode(format, std::vector<float>(20, 0.0f)).view(), 20), Each(0.0f)) << name(format);
}

TEST(Codec, WeightsThatAreNotFiniteAreErrorsNamingTheirColumn) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const std::pair<float, const char *> bad[] = {{nan, "nan"}, {-nan, "nan"}, {inf, "inf"}, {-inf, "-inf"}};
  for (const Format &format : allFormats())
    for (size_t column : {0, 1, 31, 32, 299})
      for (const auto &[value, spelled] : bad) {
        std::vector<float> row = randomRow(300, 1, 1);
        row[column] = value;
        RowBuffer buffer(format, row.size());
        const Status status = encodeRow(format, row, buffer.row());
        ASSERT_FALSE(status) << name(format);
        EXPECT_EQ(status.error().message, "column " + std::to_string(column) + " is " + spelled);
      }
}

} // namespace
