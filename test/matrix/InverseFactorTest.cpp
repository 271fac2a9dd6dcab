// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The Cholesky factor of an inverse.
#include "lib/matrix/InverseFactor.h"
#include "lib/matrix/Gram.h"
#include "test/matrix/OnThreads.h"
#include "test/matrix/RandomMatrix.h"

#include <cmath>
#include <gmock/gmock.h>

using namespace halftone::matrix;
using testing::DoubleEq;
using testing::ElementsAre;

namespace {

/// A positive definite matrix: X^T X of more samples than columns, in the upper triangle; the lower one holds 9.
OwnedMatrix<double> positiveDefinite(int64_t columns) {
  OwnedMatrix<double> square(columns, columns);
  addGram(randomMatrix(columns + 50, columns, 7).constView(), square.view(), serially);
  for (int64_t i = 0; i < columns; ++i)
    for (int64_t j = 0; j < i; ++j) {
      square(j, i) = square(i, j);
      square(i, j) = 9;
    }
  return square;
}

TEST(InverseFactor, OfTwoColumnsByHand) {
  // A = [4 2; 2 2], its inverse [.5 -.5; -.5 1] = U^T U with U = [1/sqrt 2, -1/sqrt 2; 0, 1/sqrt 2].
  double square[] = {4, 2, 9, 2};
  EXPECT_EQ(invertIntoFactor(MatrixView(square, 2, 2), serially), std::nullopt);
  const double root = std::sqrt(0.5);
  EXPECT_THAT(square, ElementsAre(DoubleEq(root), DoubleEq(-root), 9, DoubleEq(root)));
}

/// U A U^T = 1. Backward stable steps give a residual of about n * 2^-53 * condition; of these it is below 1e4 (the
/// singular values of a normal matrix of n x (n + 50) lie between sqrt(n + 50) -+ sqrt(n)): 600 * 2^-53 * 1e4 < 1e-9.
TEST(InverseFactor, TurnsTheMatrixIntoTheIdentityOverTiles) {
  for (int64_t columns : {1, 255, 256, 257, 600}) {
    const OwnedMatrix<double> square = positiveDefinite(columns);
    OwnedMatrix<double> factor = square, image(columns, columns);
    ASSERT_EQ(invertIntoFactor(factor.view(), onThreads(2)), std::nullopt);
    for (int64_t i = 0; i < columns; ++i)
      for (int64_t j = 0; j < i; ++j)
        ASSERT_EQ(factor(i, j), 9);
    const auto a = [&](int64_t i, int64_t j) { return square(std::min(i, j), std::max(i, j)); };
    for (int64_t i = 0; i < columns; ++i)
      for (int64_t j = 0; j < columns; ++j)
        for (int64_t k = i; k < columns; ++k)
          image(i, j) += factor(i, k) * a(k, j);
    for (int64_t i = 0; i < columns; ++i)
      for (int64_t j = 0; j < columns; ++j) {
        double sum = 0;
        for (int64_t k = j; k < columns; ++k)
          sum += image(i, k) * factor(j, k);
        ASSERT_NEAR(sum, i == j, 1e-9) << columns << " columns: " << i << ' ' << j;
      }
  }
}

TEST(InverseFactor, DoesNotDependOnThreads) {
  OwnedMatrix<double> one = positiveDefinite(700), two = one;
  ASSERT_EQ(invertIntoFactor(one.view(), serially), std::nullopt);
  ASSERT_EQ(invertIntoFactor(two.view(), onThreads(2)), std::nullopt);
  EXPECT_EQ(one.memory, two.memory);
}

TEST(InverseFactor, NamesTheColumnThatIsNotPositiveDefinite) {
  // From the last column to the first: column 1 is 1 - 2 * 2 once column 2 is done.
  double square[] = {1, 0, 0, 0, 1, 2, 0, 0, 1};
  EXPECT_EQ(invertIntoFactor(MatrixView(square, 3, 3), serially), 1);
  OwnedMatrix<double> large = positiveDefinite(600);
  large(300, 300) = -1;
  EXPECT_EQ(invertIntoFactor(large.view(), serially), 300);
  large = positiveDefinite(600);
  large(20, 20) = NAN;
  EXPECT_EQ(invertIntoFactor(large.view(), serially), 20);
}

} // namespace
