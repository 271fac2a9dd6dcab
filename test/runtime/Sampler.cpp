// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Greedy choice, the three restrictions, the distribution drawn from, and logits at the edge of float.
#include "lib/runtime/Sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

using namespace halftone::runtime;
using testing::HasSubstr;

static std::map<int64_t, int> drawMany(const SamplerOptions &options, const std::vector<float> &logits, int count) {
  Sampler sampler(options);
  std::map<int64_t, int> counts;
  for (int draw = 0; draw < count; ++draw) {
    auto token = sampler.sample(logits);
    EXPECT_TRUE(token);
    ++counts[*token];
  }
  return counts;
}

static SamplerOptions unrestricted(double temperature, uint64_t seed = 1) {
  return {.temperature = temperature, .topK = 0, .topP = 1, .seed = seed};
}

static const float infinity = std::numeric_limits<float>::infinity();

TEST(Sampler, TemperatureZeroTakesTheFirstOfTheHighest) {
  Sampler sampler({.temperature = 0});
  EXPECT_EQ(*sampler.sample(std::vector<float>{1, 3, 2, 3}), 1);
  EXPECT_EQ(*sampler.sample(std::vector<float>{-5, -infinity, -5}), 0);
}

TEST(Sampler, TheGeneratorIsXoshiro256PlusPlusSeededBySplitmix64) {
  // Computed by the authors' C code for seed 42.
  RandomGenerator random(42);
  const uint64_t first = random.next(), second = random.next();
  RandomGenerator again(42);
  EXPECT_EQ(first, again.next());
  EXPECT_EQ(second, again.next());
  EXPECT_EQ(first, 0xd0764d4f4476689fULL);
  EXPECT_EQ(second, 0x519e4174576f3791ULL);
}

TEST(Sampler, TheSameSeedGivesTheSameTokens) {
  std::vector<float> logits(1000);
  for (size_t token = 0; token < logits.size(); ++token)
    logits[token] = std::sin(static_cast<float>(token));
  const auto draw = [&](uint64_t seed) {
    Sampler sampler({.seed = seed});
    std::vector<int64_t> tokens;
    for (int count = 0; count < 50; ++count)
      tokens.push_back(*sampler.sample(logits));
    return tokens;
  };
  EXPECT_EQ(draw(7), draw(7));
  EXPECT_NE(draw(7), draw(8));
}

// Counts of n draws with probability p lie within 5 standard deviations, sqrt(n p (1 - p)); the seed is fixed, so this
// passes always or never.
static void expectDistribution(const std::map<int64_t, int> &counts, const std::vector<double> &probabilities,
                               int draws) {
  for (size_t token = 0; token < probabilities.size(); ++token) {
    const double p = probabilities[token];
    const int count = counts.contains(token) ? counts.at(token) : 0;
    EXPECT_NEAR(count, draws * p, 5 * std::sqrt(draws * p * (1 - p))) << token;
  }
}

TEST(Sampler, DrawsFollowTheSoftmax) {
  const std::vector<float> logits = {std::log(0.5F), std::log(0.2F), std::log(0.3F)};
  expectDistribution(drawMany(unrestricted(1), logits, 20000), {0.5, 0.2, 0.3}, 20000);
}

TEST(Sampler, TemperatureIsAppliedBeforeTheSoftmax) {
  // p^(1/T) with T = 0.5: squares 0.25, 0.04, 0.09 of sum 0.38.
  const std::vector<float> logits = {std::log(0.5F), std::log(0.2F), std::log(0.3F)};
  expectDistribution(drawMany(unrestricted(0.5), logits, 20000), {0.25 / 0.38, 0.04 / 0.38, 0.09 / 0.38}, 20000);
}

TEST(Sampler, TopKKeepsTheHighestAndSharesTheRest) {
  const std::vector<float> logits = {std::log(0.1F), std::log(0.5F), std::log(0.15F), std::log(0.25F)};
  const auto counts = drawMany({.temperature = 1, .topK = 2, .topP = 1, .seed = 3}, logits, 20000);
  expectDistribution(counts, {0, 0.5 / 0.75, 0, 0.25 / 0.75}, 20000);
  EXPECT_EQ(drawMany({.temperature = 5, .topK = 1, .topP = 1}, logits, 100).size(), 1U);
}

TEST(Sampler, TopKPrefersLowIdsAmongEquals) {
  const auto counts = drawMany({.temperature = 1, .topK = 2, .topP = 1}, std::vector<float>(50, 0.5F), 200);
  EXPECT_EQ(counts.size(), 2U);
  EXPECT_TRUE(counts.contains(0) && counts.contains(1));
}

TEST(Sampler, TopPKeepsTheFewestThatReachIt) {
  const std::vector<float> logits = {std::log(0.1F), std::log(0.5F), std::log(0.15F), std::log(0.25F)};
  const auto counts = drawMany({.temperature = 1, .topK = 0, .topP = 0.7, .seed = 5}, logits, 20000);
  expectDistribution(counts, {0, 0.5 / 0.75, 0, 0.25 / 0.75}, 20000);
  EXPECT_EQ(drawMany({.temperature = 1, .topK = 0, .topP = 0.4}, logits, 100).size(), 1U);
}

TEST(Sampler, TopPReachesBeyondTheFirstSortedStretch) {
  // 1000 equal tokens: 30 percent of the probability are 300 tokens, the lowest ids.
  const auto counts = drawMany({.temperature = 1, .topK = 0, .topP = 0.2995}, std::vector<float>(1000, 2), 20000);
  EXPECT_EQ(counts.size(), 300U);
  EXPECT_EQ(counts.rbegin()->first, 299);
}

TEST(Sampler, TopPCountsAfterTopK) {
  // Of the two that top-k keeps, the first has 2/3 of the probability: enough for 0.6, though it is only 0.5 of the
  // whole.
  const std::vector<float> logits = {std::log(0.1F), std::log(0.5F), std::log(0.15F), std::log(0.25F)};
  EXPECT_EQ(drawMany({.temperature = 1, .topK = 2, .topP = 0.6}, logits, 200).size(), 1U);
}

TEST(Sampler, HugeLogitsAndTinyTemperaturesDoNotOverflow) {
  const float huge = std::numeric_limits<float>::max();
  for (double temperature : {1e-30, 1.0, 1000.0}) {
    const auto counts = drawMany(unrestricted(temperature), {-huge, huge, 0}, 50);
    EXPECT_EQ(counts.size(), 1U) << temperature;
    EXPECT_TRUE(counts.contains(1));
  }
}

TEST(Sampler, RuledOutTokensAreNeverDrawn) {
  const auto counts = drawMany(unrestricted(1), {-infinity, 0, -infinity, 0, -infinity}, 1000);
  EXPECT_EQ(counts.size(), 2U);
  EXPECT_TRUE(counts.contains(1) && counts.contains(3));
}

TEST(Sampler, LogitsThatAreNoNumbersAreErrors) {
  for (double temperature : {0.0, 1.0}) {
    Sampler sampler(unrestricted(temperature));
    EXPECT_EQ(sampler.sample(std::vector<float>{0, NAN}).error().message, "the logit of token 1 is NaN");
    EXPECT_EQ(sampler.sample(std::vector<float>{infinity, 0}).error().message, "the logit of token 0 is infinite");
    EXPECT_THAT(sampler.sample(std::vector<float>{-infinity, -infinity}).error().message, HasSubstr("all 2 tokens"));
  }
}
