// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Methods that round each weight for itself: imatrix and hqq against round to nearest.
#include "lib/formats/Codec.h"
#include "lib/quantize/Hqq.h"
#include "lib/quantize/Imatrix.h"
#include "test/formats/AllFormats.h"
#include "test/matrix/OnThreads.h"
#include "test/matrix/RandomMatrix.h"

#include <gmock/gmock.h>

using namespace halftone;
using namespace halftone::quantize;
using formats::Format;
using matrix::OwnedMatrix;
using matrix::serially;

namespace {

std::vector<Format> formatsWithCodes(const std::vector<int64_t> &blocks) {
  std::vector<Format> formats = formats::allFormats(blocks);
  std::erase_if(formats, [](const Format &format) { return format.isPlain(); });
  return formats;
}

std::vector<float> decodedRow(const GptqResult &result, int64_t row) {
  std::vector<float> values(result.matrix.columns());
  formats::decodeRow(result.matrix.format(), result.matrix.row(row), values);
  return values;
}

/// Sum of importance * |decoded - weight|^norm of what rounding to nearest decodes to.
double nearestLoss(const Format &format, const OwnedMatrix<float> &weights, std::span<const float> importance,
                   double norm = 2) {
  double sum = 0;
  for (int64_t row = 0; row < weights.rows; ++row) {
    formats::RowBuffer buffer(format, weights.columns);
    std::vector<float> values(weights.columns);
    EXPECT_TRUE(formats::encodeRow(format, weights.view().row(row), buffer.row()));
    formats::decodeRow(format, buffer.view(), values);
    for (int64_t i = 0; i < weights.columns; ++i)
      sum += importance[i] * std::pow(std::fabs(static_cast<double>(values[i]) - weights(row, i)), norm);
  }
  return sum;
}

bool sameBytes(const GptqResult &a, const GptqResult &b) {
  for (int64_t row = 0; row < a.matrix.rows(); ++row)
    if (!std::ranges::equal(a.matrix.row(row).codes, b.matrix.row(row).codes) ||
        !std::ranges::equal(a.matrix.row(row).scales, b.matrix.row(row).scales) ||
        !std::ranges::equal(a.matrix.row(row).zeros, b.matrix.row(row).zeros))
      return false;
  return true;
}

TEST(Imatrix, TheColumnThatMattersGetsTheGrid) {
  // The grid of the extremes, -1 .. 7 with a scale of 1, is 0.4 away from 2.4. With a scale of 1.2 it would be exact.
  OwnedMatrix<float> weights(1, 3);
  weights.memory = {8, 2.4f, -1};
  const Format format = Format::integer(4, 0, formats::Scalar::F32);
  const float first[] = {1, 0, 0}, second[] = {0, 1, 0};
  const auto kept = imatrix(format, weights.view(), first, {}, serially);
  const auto moved = imatrix(format, weights.view(), second, {}, serially);
  ASSERT_TRUE(kept && moved);
  EXPECT_EQ(decodedRow(*kept, 0)[0], 8);
  // Refitted to a code that is not 0, one weight is met but for two roundings of f32.
  EXPECT_NEAR(decodedRow(*moved, 0)[1], 2.4f, 2.4 * 0x1p-23);
  EXPECT_NEAR(kept->loss.outputError, 0, 1e-12);
  EXPECT_NEAR(kept->loss.outputNorm, 64, 1e-12);
  EXPECT_NEAR(moved->loss.outputNorm, 2.4 * 2.4, 1e-6);
}

TEST(Imatrix, LosesNoMoreThanRoundToNearest) {
  const int64_t columns = 100;
  const auto weights = matrix::randomMatrix(20, columns, 1);
  std::vector<float> importance(columns);
  for (int64_t i = 0; i < columns; ++i)
    importance[i] = std::exp(static_cast<float>(std::sin(i)) * 3);
  for (const Format &format : formatsWithCodes({0, 7, 32})) {
    const auto result = imatrix(format, weights.view(), importance, {}, serially);
    ASSERT_TRUE(result);
    const double nearest = nearestLoss(format, weights, importance);
    EXPECT_LT(result->loss.outputError, format.code.bits < 5 ? 0.95 * nearest : nearest) << name(format);
    double loss = 0;
    for (int64_t row = 0; row < weights.rows; ++row)
      for (int64_t i = 0; i < columns; ++i)
        loss += importance[i] * std::pow(static_cast<double>(decodedRow(*result, row)[i]) - weights(row, i), 2);
    EXPECT_NEAR(result->loss.outputError, loss, loss * 1e-12) << name(format); // the same f64 sums in another order
  }
}

/// By its own measure a fit is never worse than the grid of the extremes, which it begins with.
TEST(Hqq, LosesNoMoreThanRoundToNearest) {
  const int64_t columns = 100;
  const auto weights = matrix::randomMatrix(20, columns, 3);
  const std::vector<float> alike(columns, 1);
  const HqqOptions options;
  for (const Format &format : formatsWithCodes({0, 7, 32})) {
    const auto result = hqq(format, weights.view(), options, serially);
    ASSERT_TRUE(result);
    double loss = 0;
    for (int64_t row = 0; row < weights.rows; ++row)
      for (int64_t i = 0; i < columns; ++i)
        loss += std::pow(std::fabs(static_cast<double>(decodedRow(*result, row)[i]) - weights(row, i)), options.norm);
    const double nearest = nearestLoss(format, weights, alike, options.norm);
    EXPECT_LE(loss, (format.zeroPoint && format.block != 0 && format.code.bits < 5 ? 0.99 : 1 + 1e-12) * nearest)
        << name(format);
  }
}

TEST(RoundOnGrids, DoesNotDependOnThreads) {
  const auto weights = matrix::randomMatrix(100, 96, 2);
  const std::vector<float> importance(96, 1);
  const Format format = Format::integer(3, 32, formats::Scalar::F16, true);
  const auto one = imatrix(format, weights.view(), importance, {}, serially);
  const auto three = imatrix(format, weights.view(), importance, {}, matrix::onThreads(3));
  ASSERT_TRUE(one && three);
  EXPECT_TRUE(sameBytes(*one, *three));
  EXPECT_EQ(one->loss.outputError, three->loss.outputError);
  EXPECT_EQ(one->loss.weights.squaredError, three->loss.weights.squaredError);
}

TEST(RoundOnGrids, RefusesWhatItCannotRound) {
  OwnedMatrix<float> weights(3, 2);
  const std::vector<float> importance(2, 1);
  const auto errorOf = [&](const Format &format) {
    const auto result = imatrix(format, weights.view(), importance, {}, serially);
    return result ? "no error" : result.error().message;
  };
  EXPECT_EQ(errorOf(Format::plain(formats::Scalar::BF16)), "imatrix rounds to codes, and 'bf16' stores values");
  weights.memory = {1, 2, 3, NAN, INFINITY, 1};
  EXPECT_EQ(errorOf(Format::integer(4, 32)), "row 1, column 1 is nan");
}

} // namespace
