// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Factors of columns by hand, and what rounding behind them does.
#include "lib/quantize/ColumnScale.h"
#include "lib/formats/Codec.h"
#include "test/matrix/OnThreads.h"
#include "test/matrix/RandomMatrix.h"

#include <gmock/gmock.h>

using namespace halftone;
using namespace halftone::quantize;
using matrix::OwnedMatrix;
using matrix::serially;
using testing::ElementsAre;
using testing::FloatEq;

namespace {

TEST(ActivationScale, IsAPowerWhoseEndsAreInverses) {
  const float meanAbs[] = {4, 1, 16};
  EXPECT_THAT(activationScale(meanAbs, 0), ElementsAre(1, 1, 1));
  EXPECT_THAT(activationScale(meanAbs, 0.5), ElementsAre(FloatEq(1), FloatEq(0.5), FloatEq(2)));
  EXPECT_THAT(activationScale(meanAbs, 1), ElementsAre(FloatEq(1), FloatEq(0.25), FloatEq(4)));
}

TEST(ActivationScale, AColumnThatIsNeverSeenIsNotScaledAway) {
  const float meanAbs[] = {0, 1};
  EXPECT_THAT(activationScale(meanAbs, 1), ElementsAre(FloatEq(0.01f), FloatEq(100)));
  const float huge[] = {3e38f, 0}; // the product of the ends is beyond f32
  EXPECT_THAT(activationScale(huge, 1), ElementsAre(FloatEq(std::sqrt(3e38 / 1e-4)), FloatEq(std::sqrt(1e-4 / 3e38))));
}

TEST(SmoothingScale, SharesTheSpread) {
  const float inputs[] = {16, 1, 0, 2, 1}, weights[] = {1, 4, 1, 0, INFINITY};
  EXPECT_THAT(smoothingScale(inputs, weights, 0.5), ElementsAre(FloatEq(4), FloatEq(0.5), 1, 1, 1));
  EXPECT_THAT(smoothingScale(inputs, weights, 1), ElementsAre(FloatEq(16), FloatEq(1), 1, 1, 1));
}

TEST(RoundScaled, RoundsTheScaledWeights) {
  // Times (1, 4) the row is (8, 6.4): with a scale of -1 these become 8 and 6, and 6 / 4 = 1.5. Unscaled, 1.6 became 2.
  OwnedMatrix<float> weights(1, 2), result(1, 2);
  weights.memory = {8, 1.6f};
  const auto format = formats::Format::integer(4, 0, formats::Scalar::F32);
  const float ones[] = {1, 1}, scale[] = {1, 4};
  ASSERT_TRUE(roundScaled(format, weights.view(), ones, result.view(), serially));
  EXPECT_THAT(result.memory, ElementsAre(8, 2));
  ASSERT_TRUE(roundScaled(format, weights.view(), scale, result.view(), serially));
  EXPECT_THAT(result.memory, ElementsAre(8, 1.5f));
}

TEST(RoundScaled, NamesTheFirstWeightThatIsNoNumber) {
  OwnedMatrix<float> weights = matrix::randomMatrix(100, 32, 1), result(100, 32);
  weights(70, 3) = NAN;
  weights(50, 4) = INFINITY;
  const std::vector<float> scale(32, 2);
  const Status status =
      roundScaled(formats::Format::integer(4, 32), weights.view(), scale, result.view(), matrix::onThreads(3));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "row 50, column 4 is inf");
}

} // namespace
