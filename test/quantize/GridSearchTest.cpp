// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The search of a block's grid, and the fit of a grid to codes.
#include "lib/quantize/GridSearch.h"
#include "lib/quantize/FitGrid.h"
#include "test/formats/AllFormats.h"

#include <algorithm>
#include <cmath>
#include <gmock/gmock.h>
#include <random>

using namespace halftone::quantize;
using halftone::formats::Format;
using halftone::formats::Grid;
using halftone::formats::GridCodec;
using halftone::formats::Scalar;
using testing::FloatEq;

namespace {

std::vector<float> normalBlock(size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> block(size);
  std::ranges::generate(block, [&] { return normal(random); });
  return block;
}

double loss(const GridCodec &codec, const Grid &grid, std::span<const float> block, std::span<const float> importance,
            double norm) {
  double sum = 0;
  for (size_t i = 0; i < block.size(); ++i)
    sum += importance[i] * std::pow(std::fabs(block[i] - codec.decode(grid, codec.encode(grid, block[i]))), norm);
  return sum;
}

TEST(FitGrid, IsTheQuotientOfWeightedSums) {
  // Codes 1 and -2 away from zero: (1 * 1 * 3 + 3 * -2 * -5) / (1 * 1 + 3 * 4) = 33 / 13.
  const GridCodec codec(Format::integer(4, 0, Scalar::F32));
  const uint8_t codes[] = {9, 6};
  const float targets[] = {3, -5}, importance[] = {1, 3};
  EXPECT_THAT(fitGrid(codec, {1, 0}, codes, targets, importance).scale, FloatEq(33.0f / 13));
  // The stored type rounds it.
  const GridCodec narrow(Format::integer(4, 0, Scalar::BF16));
  EXPECT_EQ(fitGrid(narrow, {1, 0}, codes, targets, importance).scale, roundTo(Scalar::BF16, 33.0f / 13));
}

TEST(FitGrid, FindsTheLineThroughCodesAndTargets) {
  // target = .5 * (code - 3), with an outlier that does not count.
  const GridCodec codec(Format::integer(3, 0, Scalar::F16, true));
  const uint8_t codes[] = {0, 2, 5, 7};
  const float targets[] = {-1.5f, -0.5f, 1, 100}, importance[] = {1, 2, 1, 0};
  EXPECT_EQ(fitGrid(codec, {7, 6}, codes, targets, importance), (Grid{0.5f, 3}));
}

TEST(FitGrid, StaysWhereCodesLeaveNoChoice) {
  const GridCodec symmetric(Format::integer(4, 0)), shifted(Format::integer(4, 0, Scalar::F16, true));
  const uint8_t zeros[] = {8, 8};
  const float targets[] = {3, -5}, importance[] = {1, 3};
  EXPECT_EQ(fitGrid(symmetric, {2, 0}, zeros, targets, importance), (Grid{2, 0}));
  EXPECT_EQ(fitGrid(shifted, {2, 8}, zeros, targets, importance), (Grid{2, 8}));
}

TEST(FitGrid, NoGridNearbyFitsBetter) {
  const std::vector<float> block = normalBlock(32, 1), importance(32, 1);
  for (const Format &format : halftone::formats::allFormats({32})) {
    if (format.isPlain() || format.scale != Scalar::F32)
      continue;
    const GridCodec codec(format);
    const Grid extreme = codec.extremeGrid(block);
    std::vector<uint8_t> codes(32);
    std::vector<float> values(32);
    codec.encode(extreme, block, codes.data());
    const auto squaredError = [&](const Grid &grid) {
      double sum = 0;
      codec.decode(grid, codes, values.data());
      for (size_t i = 0; i < block.size(); ++i)
        sum += (block[i] - values[i]) * (block[i] - values[i]);
      return sum;
    };
    const Grid fitted = fitGrid(codec, extreme, codes, block, importance);
    for (float factor : {0.999f, 1.001f})
      EXPECT_LT(squaredError(fitted), squaredError({fitted.scale * factor, fitted.zero})) << name(format);
    if (!format.zeroPoint)
      EXPECT_LE(squaredError(fitted), squaredError(extreme)) << name(format);
  }
}

TEST(GridSearch, IsNeverWorseThanTheExtremesAndUsuallyBetter) {
  int better = 0, blocks = 0;
  for (const Format &format : halftone::formats::allFormats({32})) {
    if (format.isPlain())
      continue;
    const GridCodec codec(format);
    for (size_t size : {32, 5, 1})
      for (double norm : {2.0, 2.4, 0.7}) {
        const std::vector<float> block = normalBlock(size, 2);
        std::vector<float> importance = normalBlock(size, 3);
        for (float &weight : importance)
          weight *= weight;
        const GridSearchOptions options{.norm = norm, .refits = 2};
        const double extreme = loss(codec, codec.extremeGrid(block), block, importance, norm);
        const double searched = loss(codec, searchGrid(codec, block, importance, options), block, importance, norm);
        // Both are sums of f32 roundings of 1 part in 2^24 an operation, pow's included.
        EXPECT_LE(searched, extreme * (1 + 0x1p-20)) << name(format) << " norm " << norm;
        better += size == 32 && searched < 0.99 * extreme;
        blocks += size == 32;
      }
  }
  EXPECT_GT(better, blocks / 2);
}

TEST(GridSearch, WhatDoesNotCountDoesNotSpreadTheGrid) {
  std::vector<float> block = normalBlock(32, 4), importance(32, 1);
  block[7] = 20;
  importance[7] = 0;
  for (const Format &format : {Format::integer(4, 32, Scalar::F16, true), Format::integer(4, 32)}) {
    const GridCodec codec(format);
    const Grid grid = searchGrid(codec, block, importance, {.sizes = 50, .smallest = 0.1, .refits = 2});
    EXPECT_LT(std::fabs(grid.scale), 0.5f * std::fabs(codec.extremeGrid(block).scale)) << name(format);
  }
}

TEST(GridSearch, ImportanceOfNothingIsImportanceOfAll) {
  const std::vector<float> block = normalBlock(32, 5);
  const GridCodec codec(Format::integer(3, 32));
  EXPECT_EQ(searchGrid(codec, block, std::vector<float>(32, 0), {}),
            searchGrid(codec, block, std::vector<float>(32, 1), {}));
}

TEST(GridSearch, TurnsACodebookRound) {
  // Every weight is a level of the grid with scale -1, the largest in magnitude among them excepted.
  static constexpr int8_t levels[] = {-31, -13, 1, 17};
  static constexpr halftone::formats::Codebook book = {"skew", levels};
  const GridCodec codec({.code = halftone::formats::Code::levelsOf(book), .block = 0});
  const std::vector<float> block = {13, 13, -17, -17, -1, 13, -17, -1};
  EXPECT_GT(codec.extremeGrid(block).scale, 0) << "the largest, -17, goes to -31";
  const Grid grid = searchGrid(codec, block, std::vector<float>(8, 1), {});
  EXPECT_EQ(grid.scale, -1);
}

TEST(GridSearch, ZerosStayZeros) {
  for (const Format &format : halftone::formats::allFormats({32}))
    if (!format.isPlain())
      EXPECT_EQ(searchGrid(GridCodec(format), std::vector<float>(32, 0), std::vector<float>(32, 1), {}).scale, 0);
}

} // namespace
