// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Figures of small vocabularies, worked out by hand, and what may stand in logits.
#include "lib/evaluate/Score.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

using namespace halftone;
using namespace halftone::evaluate;
using testing::HasSubstr;

/// Bounds: f64 sums of a few terms, each with an error of an ulp or two (2^-52) of a value below 8.
static constexpr double bound = 1e-14;

/// Adds the distributions of both logits to `comparison`.
static void add(Comparison &comparison, const std::vector<float> &reference, const std::vector<float> &model,
                int64_t token) {
  const auto want = Distribution::create(reference), got = Distribution::create(model);
  ASSERT_TRUE(want && got);
  comparison.add(*want, *got, token);
}

/// Logits of these probabilities, moved by `shift`, which changes nothing. In f32: probabilities are powers of two.
static std::vector<float> logitsOf(std::vector<double> probabilities, float shift = 0) {
  std::vector<float> logits;
  for (const double p : probabilities)
    logits.push_back(static_cast<float>(std::log2(p)) + shift);
  return logits;
}

TEST(LogSumExp, IsTheLogarithmOfTheSum) {
  const std::vector<float> logits = {0, 0, 0, 0};
  EXPECT_NEAR(*logSumExp(logits), std::log(4.0), bound);
}

TEST(LogSumExp, DoesNotOverflow) {
  EXPECT_NEAR(*logSumExp(std::vector<float>{3e38f, 3e38f}) / 3e38f, 1, bound);
  EXPECT_NEAR(*logSumExp(std::vector<float>{-1000, -1000}), std::log(2.0) - 1000, 1000 * bound);
}

TEST(LogSumExp, RefusesWhatIsNoNumber) {
  EXPECT_EQ(logSumExp(std::vector<float>{0, NAN}).error().message, "the logit of token 1 is NaN");
  EXPECT_EQ(logSumExp(std::vector<float>{NAN, 0}).error().message, "the logit of token 0 is NaN");
  EXPECT_EQ(logSumExp(std::vector<float>{0, 1, INFINITY}).error().message, "the logit of token 2 is infinite");
  EXPECT_EQ(logSumExp(std::vector<float>{-INFINITY, -INFINITY}).error().message,
            "the logits of all 2 tokens are minus infinity");
  EXPECT_TRUE(logSumExp(std::vector<float>{0, -INFINITY}));
}

TEST(Surprise, OfEqualLogitsIsTheVocabularysLogarithm) {
  Surprise surprise;
  EXPECT_EQ(surprise.perplexity(), 1);
  for (int64_t token = 0; token < 4; ++token)
    ASSERT_TRUE(surprise.add(std::vector<float>(4, 7.5f), token));
  EXPECT_EQ(surprise.tokens(), 4);
  EXPECT_NEAR(surprise.perplexity(), 4, bound * 4);
}

TEST(Surprise, IsTheMeanOverTokens) {
  Surprise surprise;
  surprise.add(1);
  surprise.add(2);
  surprise.add(6);
  EXPECT_EQ(surprise.mean(), 3);
  EXPECT_NEAR(surprise.perplexity(), std::exp(3), bound * 32);
}

TEST(Comparison, OfAModelWithItselfIsZero) {
  Comparison comparison;
  const std::vector<float> logits = {1.25f, -3, 8.5f, 0.1f}, shifted = {2.25f, -2, 9.5f, 1.1f};
  add(comparison, logits, logits, 1);
  EXPECT_EQ(comparison.meanDivergence(), 0);
  EXPECT_EQ(comparison.sameTopShare(), 1);
  add(comparison, logits, shifted, 1);
  EXPECT_NEAR(comparison.meanDivergence(), 0, 1e-7); // 0.1f + 1 rounds in f32
}

TEST(Comparison, IsTheDivergenceOfTheModelFromTheReference) {
  // Natural logits of p = (1/2, 1/4, 1/4) and q = (1/4, 1/4, 1/2) are these times ln 2, which f32 cannot hold; with
  // base-2 logarithms as logits, probabilities are proportional to e^log2(p): a and b below.
  const double a = std::exp(-1), b = std::exp(-2), sum = a + 2 * b;
  Comparison comparison;
  add(comparison, logitsOf({.5, .25, .25}), logitsOf({.25, .25, .5}, 3), 2);
  // sum of p (log p - log q): the middle token adds nothing, the others (a - b) / sum each way.
  EXPECT_NEAR(comparison.meanDivergence(), (a - b) / sum, bound);
  EXPECT_NEAR(comparison.surprise().mean(), std::log(sum / a), bound);
  EXPECT_EQ(comparison.sameTopShare(), 0);
}

TEST(Comparison, TheOtherWayRoundIsAnotherDivergence) {
  const std::vector<float> sharp = {4, 0, 0}, flat = {0, 0, 0};
  const double z = std::exp(4) + 2;
  Comparison one, other;
  add(one, sharp, flat, 0);
  add(other, flat, sharp, 0);
  EXPECT_NEAR(one.meanDivergence(), 4 * std::exp(4) / z - std::log(z) + std::log(3), bound);
  EXPECT_NEAR(other.meanDivergence(), std::log(z) - std::log(3) - 4.0 / 3, bound);
}

TEST(Comparison, ATokenThatTheReferenceRulesOutAddsNothing) {
  Comparison comparison;
  add(comparison, std::vector<float>{0, 0, -INFINITY}, std::vector<float>{0, 0, -INFINITY}, 0);
  EXPECT_EQ(comparison.meanDivergence(), 0);
  add(comparison, std::vector<float>{0, 0}, std::vector<float>{0, -INFINITY}, 0);
  EXPECT_EQ(comparison.meanDivergence(), INFINITY);
}

TEST(Comparison, OfEquallyLikelyTokensTheFirstIsTheTop) {
  Comparison comparison;
  add(comparison, std::vector<float>{1, 2, 2}, std::vector<float>{0, 2, 0}, 0);
  add(comparison, std::vector<float>{1, 2, 2}, std::vector<float>{0, 0, 2}, 0);
  EXPECT_EQ(comparison.sameTopShare(), 0.5);
}

TEST(Distribution, RefusesLogitsThatAreNoNumbers) {
  EXPECT_THAT(Distribution::create(std::vector<float>{0, NAN}).error().message, HasSubstr("token 1 is NaN"));
}

TEST(Distribution, HoldsEveryTokensSurprise) {
  const std::vector<float> logits = {3, 1, -INFINITY};
  const auto distribution = Distribution::create(logits);
  EXPECT_EQ(distribution->top(), 0u);
  EXPECT_NEAR(distribution->surprise(1), std::log(std::exp(2) + 1), bound);
  EXPECT_EQ(distribution->surprise(2), INFINITY);
}

// numpy.quantile of the same divergences: the place is share * (count - 1).
TEST(Comparison, QuantilesLieBetweenTwoTokens) {
  Comparison comparison;
  const std::vector<float> flat = {0, 0};
  std::vector<double> divergences;
  for (const float logit : {3.0f, 0.0f, 1.0f, 2.0f}) {
    Comparison single;
    add(single, flat, std::vector<float>{logit, 0}, 0);
    add(comparison, flat, std::vector<float>{logit, 0}, 0);
    divergences.push_back(single.meanDivergence());
  }
  EXPECT_EQ(comparison.divergenceQuantile(0), 0);
  EXPECT_EQ(comparison.divergenceQuantile(1), divergences[0]);
  EXPECT_NEAR(comparison.divergenceQuantile(0.5), (divergences[2] + divergences[3]) / 2, bound);
  EXPECT_NEAR(comparison.divergenceQuantile(0.9), 0.3 * divergences[3] + 0.7 * divergences[0], bound);
  EXPECT_EQ(Comparison().divergenceQuantile(0.9), 0);
}
