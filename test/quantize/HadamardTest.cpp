// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The matrices are what they are called, and the fast transform is the product with them.
#include "lib/quantize/Hadamard.h"
#include "test/matrix/RandomMatrix.h"

#include <gmock/gmock.h>

#include <bit>

using namespace halftone;
using namespace halftone::quantize;
using matrix::OwnedMatrix;

namespace {

/// Q itself: the rotated rows of the identity.
OwnedMatrix<float> dense(const Rotation &rotation) {
  OwnedMatrix<float> q(rotation.size(), rotation.size());
  for (int64_t i = 0; i < rotation.size(); ++i)
    q(i, i) = 1;
  rotation.rotateColumns(q.view());
  return q;
}

class Core : public testing::TestWithParam<std::pair<int64_t, int64_t>> {};

TEST_P(Core, HasOrthogonalRowsOfOnes) {
  const auto [size, order] = GetParam();
  const HadamardCore core = hadamardCore(size);
  ASSERT_EQ(core.order, order);
  for (int64_t row = 0; row < order; ++row)
    for (int64_t other = 0; other < order; ++other) {
      double product = 0;
      for (int64_t i = 0; i < order; ++i) {
        EXPECT_EQ(std::abs(core.entries[row * order + i]), 1);
        product += core.entries[row * order + i] * core.entries[other * order + i];
      }
      EXPECT_EQ(product, row == other ? order : 0);
    }
}

// Powers of two; Paley's first construction; his second, where 4 * odd - 1 is no prime; a multiple of 8 * odd, where
// neither gives 4 * odd.
INSTANTIATE_TEST_SUITE_P(Sizes, Core,
                         testing::Values(std::pair(1, 1), std::pair(64, 1), std::pair(4096, 1), std::pair(12, 12),
                                         std::pair(48, 12), std::pair(1536, 12), std::pair(2560, 20),
                                         std::pair(896, 28), std::pair(5376, 84), std::pair(36, 36), std::pair(288, 36),
                                         std::pair(576, 36), std::pair(1600, 200)));

TEST(HadamardCore, IsHartleysWherePaleyHasNone) {
  for (const auto &[size, odd] : {std::pair(6, 3), std::pair(92, 23), std::pair(15, 15)}) {
    const HadamardCore core = hadamardCore(size);
    ASSERT_EQ(core.order, odd);
    for (const double entry : core.entries)
      EXPECT_LE(std::abs(entry), std::sqrt(2) + 1e-15);
  }
}

class AnyRotation : public testing::TestWithParam<int64_t> {};

// An entry of Q is rounded once, from f64: it is off by at most 2^-25 of values below 2^0, so a product of two rows by
// at most 2^-24 times the sum of one row's magnitudes, sqrt(n).
TEST_P(AnyRotation, IsOrthogonal) {
  const Rotation rotation(GetParam(), 7);
  const OwnedMatrix<float> q = dense(rotation);
  for (int64_t row = 0; row < q.rows; ++row)
    for (int64_t other = 0; other <= row; ++other) {
      double product = 0;
      for (int64_t i = 0; i < q.columns; ++i)
        product += static_cast<double>(q(row, i)) * q(other, i);
      EXPECT_NEAR(product, row == other, 0x1p-24 * std::sqrt(q.rows)) << row << ' ' << other;
    }
}

// Against products in f64 with Q as rounded to f32: 2^-24 of each |x| |q| for Q, 2^-24 of the result for its rounding.
TEST_P(AnyRotation, RotatesBlocksOfColumnsAndOfRows) {
  const int64_t size = GetParam();
  const Rotation rotation(size, 3);
  const OwnedMatrix<float> q = dense(rotation), before = matrix::randomMatrix(37, 2 * size, 5);
  OwnedMatrix<float> after = before, turned(2 * size, 37);
  for (int64_t row = 0; row < before.rows; ++row)
    for (int64_t column = 0; column < before.columns; ++column)
      turned(column, row) = before(row, column);
  rotation.rotateColumns(after.view());
  rotation.rotateRows(turned.view());
  for (int64_t row = 0; row < before.rows; ++row)
    for (int64_t column = 0; column < before.columns; ++column) {
      double sum = 0, magnitude = 0;
      for (int64_t i = 0; i < size; ++i) {
        const double term = static_cast<double>(before(row, column / size * size + i)) * q(i, column % size);
        sum += term;
        magnitude += std::abs(term);
      }
      EXPECT_NEAR(after(row, column), sum, 0x1p-23 * magnitude) << row << ' ' << column;
      EXPECT_EQ(turned(column, row), after(row, column));
    }
}

INSTANTIATE_TEST_SUITE_P(Sizes, AnyRotation, testing::Values(1, 2, 6, 15, 16, 36, 48, 92, 144, 200));

TEST(Rotation, IsSylvestersBehindSigns) {
  const OwnedMatrix<float> q = dense(Rotation(16, 1));
  int64_t negative = 0;
  for (int64_t row = 0; row < 16; ++row) {
    negative += q(row, 0) < 0;
    for (int64_t column = 0; column < 16; ++column)
      EXPECT_EQ(q(row, column), std::popcount(static_cast<uint64_t>(row & column)) % 2 == 0 ? q(row, 0) : -q(row, 0));
    EXPECT_EQ(std::abs(q(row, 0)), 0.25f);
  }
  EXPECT_GT(negative, 0);
  EXPECT_LT(negative, 16);
}

TEST(Rotation, DependsOnItsSeedAlone) {
  EXPECT_EQ(dense(Rotation(48, 5)).memory, dense(Rotation(48, 5)).memory);
  EXPECT_NE(dense(Rotation(48, 5)).memory, dense(Rotation(48, 6)).memory);
}

} // namespace
