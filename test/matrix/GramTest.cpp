// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums of X^T X and what they weigh.
#include "lib/matrix/Gram.h"
#include "test/matrix/OnThreads.h"
#include "test/matrix/RandomMatrix.h"

#include <cmath>
#include <gmock/gmock.h>

using namespace halftone::matrix;
using testing::ElementsAre;

namespace {

TEST(Gram, FillsTheLowerTriangleOnly) {
  const float samples[] = {1, 2, 3, 4, 5, 6};
  double sum[] = {100, -7, -7, 0, 0, -7, 0, 0, 0};
  addGram(MatrixView(samples, 2, 3), MatrixView(sum, 3, 3), serially);
  EXPECT_THAT(sum, ElementsAre(117, -7, -7, 22, 29, -7, 27, 36, 45));
}

/// f32 products over 512 samples, summed in f64: see the bound in Gram.h.
TEST(Gram, IsWithinItsBoundOverTilesAndChunks) {
  const int64_t samples = 1100, columns = 300;
  const auto x = randomMatrix(samples, columns, 3);
  OwnedMatrix<double> sum(columns, columns);
  addGram(x.constView(), sum.view(), onThreads(2));
  for (int64_t i = 0; i < columns; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      double exact = 0, magnitude = 0;
      for (int64_t k = 0; k < samples && j <= i; ++k) {
        exact += static_cast<double>(x(k, i)) * x(k, j);
        magnitude += std::fabs(static_cast<double>(x(k, i)) * x(k, j));
      }
      ASSERT_LE(std::fabs(sum(i, j) - exact), 512 * 0x1p-24 * magnitude) << i << ' ' << j;
    }
}

TEST(Gram, DoesNotDependOnThreadsNorOnHowChunksAreGiven) {
  const auto x = randomMatrix(1500, 700, 4);
  OwnedMatrix<double> one(700, 700), two = one, parts = one;
  addGram(x.constView(), one.view(), serially);
  addGram(x.constView(), two.view(), onThreads(2));
  addGram(x.constView().block(0, 0, 1024, 700), parts.view(), onThreads(3));
  addGram(x.constView().block(1024, 0, 476, 700), parts.view(), serially);
  EXPECT_EQ(one.memory, two.memory);
  EXPECT_EQ(one.memory, parts.memory);
}

TEST(WeightedNorm, IsTheTraceByHand) {
  // w S w^T for S = [2 1; 1 3], w = (1, 2): 2 + 2 * 2 + 12 = 18; w = (1, -1): 2 - 2 + 3 = 3. The upper entry is not
  // read.
  const double square[] = {2, NAN, 1, 3};
  const float rows[] = {1, 2, 1, -1};
  EXPECT_EQ(weightedNorm(MatrixView(rows, 2, 2), MatrixView(square, 2, 2), serially), 21);
}

/// With S = X^T X it is ||X W^T||^2. All of S is positive semidefinite, but terms cancel: f32 roundings, of S's entries
/// and of sums over 256 columns, are relative to sum |w_i| |S_ij| |w_j|.
TEST(WeightedNorm, IsTheNormOfTheOutputs) {
  const int64_t columns = 300;
  const auto x = randomMatrix(400, columns, 5), w = randomMatrix(600, columns, 6);
  OwnedMatrix<double> sum(columns, columns);
  addGram(x.constView(), sum.view(), serially);
  double exact = 0, magnitude = 0;
  for (int64_t r = 0; r < 600; ++r)
    for (int64_t i = 0; i < columns; ++i)
      for (int64_t j = 0; j < columns; ++j) {
        const double term = static_cast<double>(w(r, i)) * sum(std::max(i, j), std::min(i, j)) * w(r, j);
        exact += term;
        magnitude += std::fabs(term);
      }
  const double norm = weightedNorm(w.constView(), sum.constView(), onThreads(2));
  EXPECT_LE(std::fabs(norm - exact), 257 * 0x1p-24 * magnitude);
  EXPECT_EQ(norm, weightedNorm(w.constView(), sum.constView(), serially));
}

} // namespace
