// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// GPTQ against cases by hand, round to nearest, and the algorithm written plainly.
#include "lib/quantize/Gptq.h"
#include "lib/formats/Codec.h"
#include "test/formats/AllFormats.h"
#include "test/matrix/OnThreads.h"
#include "test/quantize/CorrelatedSamples.h"

#include <gmock/gmock.h>
#include <numeric>

using namespace halftone;
using namespace halftone::quantize;
using formats::Format;
using formats::Grid;
using matrix::MatrixView;
using matrix::OwnedMatrix;
using matrix::serially;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

constexpr ColumnOrder orders[] = {ColumnOrder::LeftToRight, ColumnOrder::Falling, ColumnOrder::FallingBlocks};

std::vector<Format> formatsWithCodes(const std::vector<int64_t> &blocks) {
  std::vector<Format> formats = formats::allFormats(blocks);
  std::erase_if(formats, [](const Format &format) { return format.isPlain(); });
  return formats;
}

/// Fails the test, and the program, when there is no result.
GptqResult quantizeWith(const Format &format, const OwnedMatrix<float> &weights, const HessianFactor &factor,
                        const GptqOptions &options = {}, const matrix::ParallelFor &parallelFor = serially) {
  Expected<GptqResult> result = gptq(format, weights.view(), factor, options, parallelFor);
  if (!result)
    ADD_FAILURE() << result.error().message;
  return std::move(*result);
}

OwnedMatrix<float> decode(const formats::EncodedMatrix &matrix) {
  OwnedMatrix<float> values(matrix.rows(), matrix.columns());
  for (int64_t row = 0; row < matrix.rows(); ++row)
    formats::decodeRow(matrix.format(), matrix.row(row), values.view().row(row));
  return values;
}

/// What rounding to nearest decodes to.
OwnedMatrix<float> roundedToNearest(const Format &format, const OwnedMatrix<float> &weights) {
  OwnedMatrix<float> values(weights.rows, weights.columns);
  for (int64_t row = 0; row < weights.rows; ++row) {
    formats::RowBuffer buffer(format, weights.columns);
    EXPECT_TRUE(formats::encodeRow(format, weights.view().row(row), buffer.row()));
    formats::decodeRow(format, buffer.view(), values.view().row(row));
  }
  return values;
}

/// tr(dW H dW^T), written plainly.
double outputError(const OwnedMatrix<float> &decoded, const OwnedMatrix<float> &weights,
                   MatrixView<const double> hessian) {
  double sum = 0;
  for (int64_t row = 0; row < weights.rows; ++row)
    for (int64_t i = 0; i < weights.columns; ++i)
      for (int64_t j = 0; j < weights.columns; ++j)
        sum += (static_cast<double>(decoded(row, i)) - weights(row, i)) *
               (static_cast<double>(decoded(row, j)) - weights(row, j)) * hessian(std::max(i, j), std::min(i, j));
  return sum;
}

bool sameBytes(const formats::EncodedMatrix &a, const formats::EncodedMatrix &b) {
  bool same = true;
  for (int64_t row = 0; row < a.rows(); ++row)
    same = same && std::ranges::equal(a.row(row).codes, b.row(row).codes) &&
           std::ranges::equal(a.row(row).scales, b.row(row).scales) &&
           std::ranges::equal(a.row(row).zeros, b.row(row).zeros);
  return same;
}

TEST(Gptq, TheSecondColumnMakesUpForTheFirstByHand) {
  // U_01 / U_00 = -1 (HessianFactorTest): the .4 that column 0 loses go to column 1: 2.3 + .4 = 2.7, which is 3. Column
  // 2 is on its own and makes the scale 1.
  double square[] = {4, NAN, NAN, 2, 2, NAN, 0, 0, 1};
  OwnedMatrix<float> weights(1, 3);
  weights.memory = {2.4f, 2.3f, -8};
  const auto factor = HessianFactor::compute(MatrixView(square, 3, 3), {.damp = 0}, serially);
  ASSERT_TRUE(factor);
  const GptqResult result = quantizeWith(Format::integer(4, 0), weights, *factor);
  EXPECT_THAT(decode(result.matrix).memory, ElementsAre(2, 3, -8));
  // dW = (-.4, .7, 0): 4 * .16 + 2 * 2 * -.28 + 2 * .49 = .5, where rounding to nearest has 4 * .16 + 2 * 2 * .12 + 2 *
  // .09 = 1.3.
  EXPECT_NEAR(result.loss.outputError, 0.5, 1e-6);
  EXPECT_NEAR(result.loss.weights.squaredError, 0.16 + 0.49, 1e-6);
  EXPECT_NEAR(result.loss.outputNorm, 4 * 5.76 + 4 * 5.52 + 2 * 5.29 + 64, 1e-4);
}

/// Without correlation there is nothing to make up for.
TEST(Gptq, WithTheIdentityItIsRoundToNearestBitForBit) {
  const int64_t columns = 300;
  const auto weights = matrix::randomMatrix(5, columns, 2);
  for (ColumnOrder order : orders) {
    OwnedMatrix<double> identity(columns, columns);
    for (int64_t i = 0; i < columns; ++i)
      identity(i, i) = order == ColumnOrder::LeftToRight ? 2 : 2 + std::sin(i);
    const auto factor = HessianFactor::compute(identity.view(), {.order = order, .block = 32}, serially);
    ASSERT_TRUE(factor);
    for (const Format &format : formatsWithCodes({0, 1, 7, 32, 96, 200}))
      for (bool staticGrids : {false, true}) {
        const GptqResult result = quantizeWith(format, weights, *factor, {.staticGrids = staticGrids});
        for (int64_t row = 0; row < weights.rows; ++row) {
          formats::RowBuffer nearest(format, columns);
          ASSERT_TRUE(formats::encodeRow(format, weights.view().row(row), nearest.row()));
          const formats::EncodedRowView view = result.matrix.row(row);
          ASSERT_TRUE(std::ranges::equal(view.codes, nearest.view().codes)) << name(format);
          ASSERT_TRUE(std::ranges::equal(view.scales, nearest.view().scales)) << name(format);
          ASSERT_TRUE(std::ranges::equal(view.zeros, nearest.view().zeros)) << name(format);
        }
      }
  }
}

/// Algorithm 1 column by column in f64, without batches. A weight that lies so close to the middle between two codes
/// that f32 decides makes the rest of its row another: `isClear` says of a row that it has none.
struct PlainRow {
  std::vector<uint8_t> codes;
  std::vector<Grid> grids;
  bool isClear = true;
};

PlainRow plainGptq(const Format &format, std::span<const float> weights, const HessianFactor &factor,
                   bool staticGrids) {
  const formats::GridCodec codec(format);
  const int64_t columns = factor.columns(), block = format.block == 0 ? columns : format.block;
  PlainRow row{std::vector<uint8_t>(columns), std::vector<Grid>(format.blockCount(columns))};
  std::vector<double> values(weights.begin(), weights.end());
  const auto makeGrid = [&](int64_t b) {
    const auto first = values.begin() + format.blockStart(b);
    const std::vector<float> rounded(first, first + format.blockLength(columns, b));
    row.grids[b] = codec.extremeGrid(rounded);
  };
  for (int64_t b = 0; b < format.blockCount(columns) && staticGrids; ++b)
    makeGrid(b);
  for (int64_t i = 0; i < columns; ++i) {
    const int64_t column = factor.order()[i];
    if (!staticGrids && (i == 0 || factor.order()[i - 1] / block != column / block))
      makeGrid(column / block);
    const Grid grid = row.grids[column / block];
    // Each of fewer than `columns` updates rounds a weight and what is added to it to f32: both are about as large as
    // the grid at most.
    const double size = std::fabs(format.step(grid.scale)) * (format.code.highestLevel() + 1);
    const double blur = 2 * 0x1p-24 * columns * size, value = values[column];
    row.codes[column] = codec.encode(grid, static_cast<float>(value));
    row.isClear &=
        codec.encode(grid, static_cast<float>(value - blur)) == codec.encode(grid, static_cast<float>(value + blur));
    const double error = (value - codec.decode(grid, row.codes[column])) / factor.diagonal()[i];
    for (int64_t j = i + 1; j < columns; ++j)
      values[factor.order()[j]] -= error * factor.aboveDiagonal()(i, j);
  }
  return row;
}

TEST(Gptq, IsTheAlgorithmWrittenPlainly) {
  const int64_t columns = 290, rows = 20;
  const auto weights = matrix::randomMatrix(rows, columns, 3);
  auto hessian = hessianOf(correlatedSamples(600, columns, 4));
  for (const char *text : {"int4-g32", "int3-g96-asym", "int2-g200", "int4-row", "nf4-g64", "int4-g7"})
    for (ColumnOrder order : orders) {
      const Format format = *formats::parse(text);
      const auto factor = HessianFactor::compute(hessian.view(), {.order = order, .block = format.block}, serially);
      ASSERT_TRUE(factor);
      for (bool staticGrids : {false, true}) {
        const GptqResult result = quantizeWith(format, weights, *factor, {.staticGrids = staticGrids});
        int64_t clear = 0;
        for (int64_t r = 0; r < rows; ++r) {
          const bool isFixed = staticGrids || order == ColumnOrder::Falling;
          const PlainRow plain = plainGptq(format, weights.view().row(r), *factor, isFixed);
          if (!plain.isClear)
            continue;
          ++clear;
          EXPECT_TRUE(std::ranges::equal(result.matrix.row(r).codes, plain.codes)) << text << " row " << r;
        }
        EXPECT_GT(clear, rows / 4) << text;
      }
    }
}

TEST(Gptq, LosesLessOfTheOutputsThanRoundToNearest) {
  const int64_t columns = 160;
  const auto weights = matrix::randomMatrix(30, columns, 5);
  auto hessian = hessianOf(correlatedSamples(700, columns, 6));
  for (ColumnOrder order : orders) {
    const auto factor = HessianFactor::compute(hessian.view(), {.order = order, .block = 32}, serially);
    ASSERT_TRUE(factor);
    for (const Format &format : formatsWithCodes({0, 32, 100})) {
      const double nearest = outputError(roundedToNearest(format, weights), weights, factor->hessian());
      for (bool staticGrids : {false, true}) {
        const GptqResult result = quantizeWith(format, weights, *factor, {.staticGrids = staticGrids});
        EXPECT_LT(result.loss.outputError, 0.8 * nearest) << name(format);
        // f32 products over 160 columns, of terms whose magnitudes add up to some times the sum.
        EXPECT_NEAR(result.loss.outputError, outputError(decode(result.matrix), weights, factor->hessian()),
                    160 * 0x1p-24 * 100 * result.loss.outputError);
      }
    }
  }
}

TEST(Gptq, DoesNotDependOnThreadsNorOnRowsOfOtherPanels) {
  const int64_t columns = 300;
  const auto weights = matrix::randomMatrix(1100, columns, 7);
  auto hessian = hessianOf(correlatedSamples(700, columns, 8));
  for (ColumnOrder order : orders) {
    const auto factor = HessianFactor::compute(hessian.view(), {.order = order, .block = 32}, serially);
    ASSERT_TRUE(factor);
    const GptqOptions options{.search = GridSearchOptions{.sizes = 5}};
    const Format format = Format::integer(3, 32, formats::Scalar::F16, true);
    const GptqResult one = quantizeWith(format, weights, *factor, options);
    const GptqResult two = quantizeWith(format, weights, *factor, options, matrix::onThreads(2));
    const GptqResult three = quantizeWith(format, weights, *factor, options, matrix::onThreads(3));
    EXPECT_TRUE(sameBytes(one.matrix, two.matrix));
    EXPECT_TRUE(sameBytes(one.matrix, three.matrix));
    EXPECT_EQ(one.loss.outputError, two.loss.outputError);
    EXPECT_EQ(one.loss.weights.squaredError, three.loss.weights.squaredError);
    const auto rest = gptq(format, weights.view().block(1024, 0, 76, columns), *factor, options, serially);
    ASSERT_TRUE(rest);
    EXPECT_TRUE(std::ranges::equal(rest->matrix.row(75).codes, one.matrix.row(1099).codes));
  }
}

TEST(Gptq, DeadColumnsBecomeZero) {
  auto x = correlatedSamples(300, 64, 9);
  for (int64_t sample = 0; sample < x.rows; ++sample)
    x(sample, 10) = x(sample, 40) = 0;
  auto hessian = hessianOf(x);
  const auto weights = matrix::randomMatrix(3, 64, 10);
  for (ColumnOrder order : orders) {
    const auto factor = HessianFactor::compute(hessian.view(), {.order = order, .block = 32}, serially);
    ASSERT_TRUE(factor);
    EXPECT_THAT(factor->report().deadColumns, ElementsAre(10, 40));
    const OwnedMatrix<float> decoded = decode(quantizeWith(Format::integer(4, 32), weights, *factor).matrix);
    for (int64_t row = 0; row < 3; ++row) {
      EXPECT_EQ(decoded(row, 10), 0);
      EXPECT_EQ(decoded(row, 40), 0);
      EXPECT_NE(decoded(row, 11), 0);
    }
  }
}

TEST(Gptq, CountsBlocksOfWhichNothingIsLeft) {
  double square[] = {1, NAN, 0, 1};
  const auto factor = HessianFactor::compute(MatrixView(square, 2, 2), {}, serially);
  ASSERT_TRUE(factor);
  OwnedMatrix<float> weights(1, 2);
  weights.memory = {1e-9f, 1};
  EXPECT_EQ(quantizeWith(Format::integer(4, 1), weights, *factor).loss.weights.vanishedBlocks, 1);
}

TEST(Gptq, RefusesWhatItCannotRound) {
  double square[] = {1, NAN, 0, 1};
  const auto factor = HessianFactor::compute(MatrixView(square, 2, 2), {}, serially);
  ASSERT_TRUE(factor);
  OwnedMatrix<float> weights(2, 2), wide(2, 3);
  const auto errorOf = [&](const Format &format, const OwnedMatrix<float> &matrix) {
    const auto result = gptq(format, matrix.view(), *factor, {}, serially);
    return result ? "no error" : result.error().message;
  };
  EXPECT_EQ(errorOf(Format::plain(formats::Scalar::BF16), weights), "gptq rounds to codes, and 'bf16' stores values");
  EXPECT_EQ(errorOf(Format::integer(4, 32), wide), "the weights have 3 columns, their Hessian has 2");
  weights.memory = {1, 2, 3, -HUGE_VALF};
  EXPECT_EQ(errorOf(Format::integer(4, 32), weights), "row 1, column 1 is -inf");
  weights.memory = {1, NAN, 3, 4};
  EXPECT_EQ(errorOf(Format::integer(4, 32), weights), "row 0, column 1 is nan");
}

TEST(Gptq, SaysWhenWeightsGrowBeyondF32) {
  // Column 1 takes 10 times what column 0 loses: U_01 / U_00 = -H_01 / H_11 of two columns.
  double square[] = {200, NAN, -10, 1};
  const auto factor = HessianFactor::compute(MatrixView(square, 2, 2), {.damp = 0}, serially);
  ASSERT_TRUE(factor);
  OwnedMatrix<float> weights(2, 2);
  weights.memory = {1, 1, 0.7e38f, -3e38f};
  for (const Format &format :
       {Format::integer(2, 1, formats::Scalar::F16), Format::integer(2, 0, formats::Scalar::F32)}) {
    const auto result = gptq(format, weights.view(), *factor, {}, serially);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message,
              "row 1 grew beyond f32 while it made up for errors: the Hessian needs more damping");
  }
}

} // namespace
