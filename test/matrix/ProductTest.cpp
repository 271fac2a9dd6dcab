// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products against sums written plainly, over strides and orientations.
#include "lib/matrix/Product.h"
#include "lib/matrix/OpenBlas.h"
#include "test/matrix/OnThreads.h"
#include "test/matrix/RandomMatrix.h"

#include <cmath>
#include <gmock/gmock.h>
#include <limits>

using namespace halftone::matrix;
using testing::ElementsAre;

namespace {

TEST(OpenBlas, ComputesOnOneThreadWithTheKernelsOfThisProcessor) {
  EXPECT_EQ(openblas_get_num_threads(), 1);
#ifdef __x86_64__
  // Prescott is what OpenBLAS takes for a model that it does not know: SSE3.
  if (__builtin_cpu_supports("avx2"))
    EXPECT_STRNE(openblas_get_corename(), "Prescott");
#endif
}

TEST(Product, AddsToWhatIsThere) {
  float a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8}, sum[] = {1, 1, 1, 1};
  addProduct(MatrixView(sum, 2, 2), 2, MatrixView(a, 2, 2), MatrixView(b, 2, 2));
  EXPECT_THAT(sum, ElementsAre(1 + 2 * 19, 1 + 2 * 22, 1 + 2 * 43, 1 + 2 * 50));
}

TEST(Product, TakesTransposedFactorsAndPartsOfMatrices) {
  // a = [1 2 3; 4 5 6] inside three rows of four columns.
  double memory[] = {0, 0, 0, 0, 0, 1, 2, 3, 0, 4, 5, 6}, sum[] = {0, 0, -1, 0, 0, -1};
  const MatrixView<double> a = MatrixView(memory, 3, 4).block(1, 1, 2, 3);
  addProduct(MatrixView(sum, 2, 2, 3), 1, a, transposed(a));
  EXPECT_THAT(sum, ElementsAre(14, 32, -1, 32, 77, -1));
  double square[9];
  setProduct(MatrixView(square, 3, 3), transposed(a), a);
  EXPECT_THAT(square, ElementsAre(17, 22, 27, 22, 29, 36, 27, 36, 45));
}

TEST(Product, SettingForgetsWhatWasThere) {
  float a[] = {2}, b[] = {3}, product[] = {std::numeric_limits<float>::quiet_NaN()};
  setProduct(MatrixView(product, 1, 1), MatrixView(a, 1, 1), MatrixView(b, 1, 1));
  EXPECT_EQ(product[0], 6);
}

TEST(Product, OfNothingIsNothing) {
  float sum[] = {1}, none[] = {7};
  addProduct(MatrixView(sum, 1, 1), 1, MatrixView(none, 1, 0, 1), MatrixView(none, 0, 1));
  EXPECT_EQ(sum[0], 1);
  addProduct(MatrixView(sum, 0, 1), 1, MatrixView(none, 0, 1), MatrixView(none, 1, 1));
}

/// f32 sums of 300 products: each of the 300 roundings is at most 2^-24 of a partial sum, which is at most sum |a b|.
TEST(Product, IsWithinTheRoundingOfItsSums) {
  const auto a = randomMatrix(70, 300, 1), b = randomMatrix(90, 300, 2);
  OwnedMatrix<float> product(70, 90);
  setProduct(product.view(), a.constView(), transposed(b.constView()));
  for (int64_t i = 0; i < 70; ++i)
    for (int64_t j = 0; j < 90; ++j) {
      double exact = 0, magnitude = 0;
      for (int64_t k = 0; k < 300; ++k) {
        exact += static_cast<double>(a(i, k)) * b(j, k);
        magnitude += std::fabs(static_cast<double>(a(i, k)) * b(j, k));
      }
      EXPECT_LE(std::fabs(product(i, j) - exact), 300 * 0x1p-24 * magnitude);
    }
}

TEST(Product, GivesTheSameBytesWhateverElseRuns) {
  const auto a = randomMatrix(200, 300, 1), b = randomMatrix(300, 250, 2);
  OwnedMatrix<float> alone(200, 250);
  setProduct(alone.view(), a.constView(), b.constView());
  std::vector<OwnedMatrix<float>> together(16, OwnedMatrix<float>(200, 250));
  onThreads(4)(16, [&](int64_t i) { setProduct(together[i].view(), a.constView(), b.constView()); });
  for (const OwnedMatrix<float> &product : together)
    EXPECT_EQ(product.memory, alone.memory);
}

} // namespace
