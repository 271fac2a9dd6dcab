// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Order, damping and factor of Hessians.
#include "lib/quantize/HessianFactor.h"
#include "test/matrix/OnThreads.h"
#include "test/quantize/CorrelatedSamples.h"

#include <gmock/gmock.h>

using namespace halftone;
using namespace halftone::quantize;
using matrix::MatrixView;
using matrix::OwnedMatrix;
using matrix::serially;
using testing::DoubleEq;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

constexpr ColumnOrder orders[] = {ColumnOrder::LeftToRight, ColumnOrder::Falling, ColumnOrder::FallingBlocks};

TEST(HessianFactor, OfTwoColumnsByHand) {
  // H = [4 2; 2 2], its inverse [.5 -.5; -.5 1] = U^T U with U = [1/sqrt 2, -1/sqrt 2; 0, 1/sqrt 2].
  double square[] = {4, NAN, 2, 2};
  const auto factor = HessianFactor::compute(MatrixView(square, 2, 2), {.damp = 0}, serially);
  ASSERT_TRUE(factor) << factor.error().message;
  const double root = std::sqrt(0.5);
  EXPECT_THAT(factor->diagonal(), ElementsAre(DoubleEq(root), DoubleEq(root)));
  EXPECT_DOUBLE_EQ(factor->aboveDiagonal()(0, 1), -root);
  EXPECT_THAT(factor->order(), ElementsAre(0, 1));
  EXPECT_THAT(square, ElementsAre(4, DoubleEq(-root), 2, 2)) << "H stays where it was";
  EXPECT_EQ(factor->report().damp, 0);
  EXPECT_THAT(factor->report().deadColumns, IsEmpty());
}

TEST(HessianFactor, ActOrderFactorsThePermutedMatrix) {
  // Columns by falling diagonal: 2, 0, 1; of the two with 1 the first comes first. In that order H = [4 2 0; 2 2 0; 0 0
  // 1] with another name for the columns.
  double square[] = {2, NAN, NAN, 0, 2, NAN, 2, 0, 4};
  const auto factor =
      HessianFactor::compute(MatrixView(square, 3, 3), {.damp = 0, .order = ColumnOrder::Falling}, serially);
  ASSERT_TRUE(factor) << factor.error().message;
  EXPECT_THAT(factor->order(), ElementsAre(2, 0, 1));
  const double root = std::sqrt(0.5);
  EXPECT_THAT(factor->diagonal(), ElementsAre(DoubleEq(root), DoubleEq(root), DoubleEq(root)));
  EXPECT_DOUBLE_EQ(factor->aboveDiagonal()(0, 1), -root);
  EXPECT_EQ(factor->aboveDiagonal()(0, 2), 0);
  EXPECT_EQ(factor->hessian()(2, 0), 2);
}

TEST(HessianFactor, FallingBlocksKeepBlocksTogether) {
  // Means 3, 4 and, of the short last block, 3 again: of equals the first.
  OwnedMatrix<double> square(5, 5);
  for (int64_t i = 0; const double value : {1, 5, 3, 5, 3}) {
    square(i, i) = value;
    ++i;
  }
  const auto order = [&](ColumnOrder order, int64_t block) {
    const auto factor = HessianFactor::compute(square.view(), {.order = order, .block = block}, serially);
    return std::vector(factor->order().begin(), factor->order().end());
  };
  EXPECT_THAT(order(ColumnOrder::FallingBlocks, 2), ElementsAre(3, 2, 1, 0, 4));
  EXPECT_THAT(order(ColumnOrder::FallingBlocks, 0), ElementsAre(1, 3, 2, 4, 0));
  EXPECT_THAT(order(ColumnOrder::Falling, 2), ElementsAre(1, 3, 2, 4, 0));
}

TEST(HessianFactor, DampingIsAShareOfTheMeanDiagonal) {
  double square[] = {1, NAN, 0, 3};
  const auto factor = HessianFactor::compute(MatrixView(square, 2, 2), {.damp = 0.5}, serially);
  ASSERT_TRUE(factor);
  EXPECT_THAT(factor->diagonal(), ElementsAre(DoubleEq(std::sqrt(1 / 2.0)), DoubleEq(std::sqrt(1 / 4.0))));
  EXPECT_EQ(factor->report().damp, 0.5);
  // diag(2, 4): power iteration from a random vector leaves 2^-8 of what is not the largest, 2^-16 in the norm.
  EXPECT_NEAR(factor->report().condition, 2, 0.01);
}

TEST(HessianFactor, DampingGrowsUntilTheFactorExists) {
  double square[] = {1, NAN, 1, 1};
  const auto singular = HessianFactor::compute(MatrixView(square, 2, 2), {.damp = 0}, serially);
  ASSERT_TRUE(singular);
  EXPECT_EQ(singular->report().damp, 0.01);
  // Eigenvalues 2 and 0, and .01 of damping: 201.
  EXPECT_NEAR(singular->report().condition, 201, 1);
  // Eigenvalues -.055 and 2.055: .06 is the first share of the mean, 1, that lifts both above 0.
  double indefinite[] = {1, NAN, 1.055, 1};
  const auto raised = HessianFactor::compute(MatrixView(indefinite, 2, 2), {.damp = 0.01}, serially);
  ASSERT_TRUE(raised);
  EXPECT_DOUBLE_EQ(raised->report().damp, 0.06);
}

TEST(HessianFactor, GivesUpAtTheColumnWhereDampingDoesNotHelp) {
  double square[] = {1, NAN, 5, 1};
  const auto factor = HessianFactor::compute(MatrixView(square, 2, 2), {}, serially);
  ASSERT_FALSE(factor);
  EXPECT_EQ(factor.error().message,
            "column 0 of the Hessian is not positive definite, not even with a damping of 1.000000");
  EXPECT_EQ(square[0], 1);
  EXPECT_EQ(square[3], 1);
}

TEST(HessianFactor, DeadColumnsCountAsOnesAndNotInTheMean) {
  double square[] = {4, NAN, NAN, 0, 0, NAN, 0, 0, 4};
  const auto factor = HessianFactor::compute(MatrixView(square, 3, 3), {.damp = 0.25}, serially);
  ASSERT_TRUE(factor);
  EXPECT_THAT(factor->report().deadColumns, ElementsAre(1));
  EXPECT_THAT(factor->diagonal(),
              ElementsAre(DoubleEq(std::sqrt(1 / 5.0)), DoubleEq(std::sqrt(1 / 2.0)), DoubleEq(std::sqrt(1 / 5.0))));
  EXPECT_EQ(factor->hessian()(1, 1), 0);
  double nothing[] = {0, NAN, 0, 0};
  ASSERT_TRUE(HessianFactor::compute(MatrixView(nothing, 2, 2), {}, serially));
}

TEST(HessianFactor, NamesBadValues) {
  const std::pair<double, const char *> bad[] = {{NAN, "nan"}, {HUGE_VAL, "inf"}, {-HUGE_VAL, "-inf"}};
  for (const auto &[value, spelled] : bad) {
    double square[] = {1, 0, 0, 0, 1, 0, 0, value, 1};
    const auto factor = HessianFactor::compute(MatrixView(square, 3, 3), {}, serially);
    ASSERT_FALSE(factor);
    EXPECT_EQ(factor.error().message, std::string("row 2, column 1 of the Hessian is ") + spelled);
  }
  double square[] = {1, 0, 0, -2};
  const auto factor = HessianFactor::compute(MatrixView(square, 2, 2), {}, serially);
  ASSERT_FALSE(factor);
  EXPECT_EQ(factor.error().message,
            "column 1 of the Hessian has -2.000000 on the diagonal, where no square is negative");
}

TEST(HessianFactor, DoesNotDependOnThreads) {
  const auto x = correlatedSamples(800, 600, 1);
  auto one = hessianOf(x), two = one;
  for (ColumnOrder order : orders) {
    const auto a = HessianFactor::compute(one.view(), {.order = order, .block = 32}, serially);
    const auto b = HessianFactor::compute(two.view(), {.order = order, .block = 32}, matrix::onThreads(2));
    ASSERT_TRUE(a && b);
    EXPECT_EQ(one.memory, two.memory);
    EXPECT_TRUE(std::ranges::equal(a->diagonal(), b->diagonal()));
    EXPECT_EQ(a->report().condition, b->report().condition);
  }
}

} // namespace
