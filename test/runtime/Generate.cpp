// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The generation loop and scoring on the fake model: what goes through which phase, and every way to end.
#include "lib/runtime/Generate.h"

#include "test/runtime/FakeModel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

using namespace halftone;
using namespace halftone::runtime;
using namespace halftone::runtime::test;

static constexpr int64_t vocabulary = 300; // of FakeModel.cpp

namespace {

class Collector : public TokenSink {
public:
  Status put(int64_t token) override {
    tokens.push_back(token);
    return tokens.size() == failAt ? Status(Error{"the sink is full"}) : Status();
  }
  Status finish() override {
    ++finished;
    return {};
  }
  bool closed() const override { return tokens.size() >= closeAt; }

  std::vector<int64_t> tokens;
  size_t failAt = SIZE_MAX, closeAt = SIZE_MAX;
  int finished = 0;
};

struct FakeRun {
  Facts facts;
  FakeWeights weights;
  int64_t context, threads;
  GenerateOptions options;

  explicit FakeRun(int64_t context = 50, int64_t threads = 1)
      : facts(fakeFacts(vocabulary, 1000)), context(context), threads(threads) {
    options.drawable = vocabulary;
  }
  Expected<Generation> run(const std::vector<int64_t> &prompt, Collector &sink) {
    Expected<Session> session = Session::create(facts, fakeVariant(), &weights, context, threads);
    EXPECT_TRUE(session);
    Sampler sampler({.temperature = 0});
    return generate(*session, prompt, options, sampler, sink);
  }
};

} // namespace

/// What the fake must give: prompt and continuation by the formula alone.
static std::vector<int64_t> expected(std::vector<int64_t> tokens, size_t count) {
  const size_t prompt = tokens.size();
  while (tokens.size() < prompt + count)
    tokens.push_back(nextToken(tokens, vocabulary));
  return {tokens.begin() + static_cast<ptrdiff_t>(prompt), tokens.end()};
}

static std::vector<int64_t> promptOf(size_t size) {
  std::vector<int64_t> tokens;
  for (size_t place = 0; place < size; ++place)
    tokens.push_back(static_cast<int64_t>(place * place + 17) % vocabulary);
  return tokens;
}

TEST(Generate, PromptsOfAnyLengthFillTheCacheRight) {
  // Chunks of 4: none, a padded one, a whole one, a whole one and a padded one ...
  for (size_t size = 1; size <= 14; ++size)
    for (int64_t threads : {1, 3}) {
      FakeRun fake(50, threads);
      fake.options.newTokens = 9;
      Collector sink;
      const auto result = fake.run(promptOf(size), sink);
      ASSERT_TRUE(result);
      EXPECT_EQ(sink.tokens, expected(promptOf(size), 9)) << size;
      EXPECT_EQ(result->newTokens, 9);
      EXPECT_EQ(result->drawn, 9);
      EXPECT_FALSE(result->interrupted);
      EXPECT_EQ(sink.finished, 1);
    }
}

TEST(Generate, TheContextEndsTheTextAtItsLastPosition) {
  FakeRun fake(20);
  Collector sink;
  ASSERT_TRUE(fake.run(promptOf(13), sink));
  EXPECT_EQ(sink.tokens, expected(promptOf(13), 7));
  Collector full;
  const auto result = fake.run(promptOf(20), full);
  ASSERT_TRUE(result);
  EXPECT_TRUE(full.tokens.empty());
}

TEST(Generate, APromptLongerThanTheContextIsAnError) {
  FakeRun fake(20);
  Collector sink;
  EXPECT_EQ(fake.run(promptOf(21), sink).error().message, "the prompt has 21 tokens, the context holds 20");
  EXPECT_EQ(fake.run({}, sink).error().message, "the prompt is empty, and no token begins a text of its own");
  EXPECT_TRUE(sink.tokens.empty());
}

TEST(Generate, NoNewTokensAreNoWork) {
  FakeRun fake;
  fake.options.newTokens = 0;
  Collector sink;
  const auto result = fake.run(promptOf(9), sink);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->drawn, 0);
  EXPECT_TRUE(sink.tokens.empty());
}

TEST(Generate, StopTokensEndTheTextAndAreNotShown) {
  for (int64_t stop : {1, 2}) {
    FakeRun fake;
    fake.options.stopTokens = {2, 1};
    fake.weights.stopAt = 12;
    fake.weights.stopToken = stop;
    Collector sink;
    const auto result = fake.run(promptOf(9), sink);
    ASSERT_TRUE(result);
    EXPECT_EQ(sink.tokens, expected(promptOf(9), 3));
    EXPECT_EQ(result->newTokens, 3);
    EXPECT_EQ(result->drawn, 4);
    EXPECT_EQ(sink.finished, 1);
  }
}

TEST(Generate, AnyOtherTokenDoesNotStop) {
  FakeRun fake;
  fake.options.newTokens = 6;
  fake.weights.stopAt = 12;
  fake.weights.stopToken = 2; // not in stopTokens
  Collector sink;
  ASSERT_TRUE(fake.run(promptOf(9), sink));
  EXPECT_EQ(sink.tokens.size(), 6U);
  EXPECT_EQ(sink.tokens[3], 2);
}

TEST(Generate, TokensThatCannotBeShownAreNotDrawn) {
  FakeRun fake;
  fake.options.newTokens = 20;
  fake.options.drawable = 100;
  Collector sink;
  ASSERT_TRUE(fake.run(promptOf(3), sink));
  for (int64_t token : sink.tokens)
    EXPECT_LT(token, 100);
  EXPECT_NE(sink.tokens, expected(promptOf(3), 20));
}

static int asked = 0;

TEST(Generate, AnInterruptEndsAfterTheTokenInHand) {
  FakeRun fake;
  asked = 0;
  fake.options.interrupted = [] { return ++asked >= 5; };
  Collector sink;
  const auto result = fake.run(promptOf(1), sink);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->interrupted);
  EXPECT_EQ(sink.tokens, expected(promptOf(1), 5));
  EXPECT_EQ(sink.finished, 1);
}

TEST(Generate, AnInterruptWithinThePromptShowsNothing) {
  FakeRun fake;
  fake.options.interrupted = [] { return true; };
  Collector sink;
  const auto result = fake.run(promptOf(9), sink);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->interrupted);
  EXPECT_TRUE(sink.tokens.empty());
}

TEST(Generate, AClosedSinkEndsTheText) {
  FakeRun fake;
  Collector sink;
  sink.closeAt = 4;
  ASSERT_TRUE(fake.run(promptOf(2), sink));
  EXPECT_EQ(sink.tokens.size(), 4U);
}

TEST(Generate, ErrorsOfTheSinkAndOfTheModelAreTold) {
  FakeRun fake;
  Collector sink;
  sink.failAt = 3;
  EXPECT_EQ(fake.run(promptOf(2), sink).error().message, "the sink is full");
  fake.weights.notANumberAt = 6;
  Collector other;
  EXPECT_EQ(fake.run(promptOf(2), other).error().message, "the logit of token 0 is NaN");
  EXPECT_EQ(other.tokens, expected(promptOf(2), 5));
}

TEST(Session, ScoreGivesTheLogitsOfEachTokenOfAChunk) {
  FakeRun fake;
  Expected<Session> session = Session::create(fake.facts, fakeVariant(), &fake.weights, 50, 2);
  ASSERT_TRUE(session);
  const std::vector<int64_t> tokens = promptOf(7);
  for (size_t begin : {0, 4}) {
    const auto part = std::span(tokens).subspan(begin, std::min<size_t>(4, tokens.size() - begin));
    const auto logits = session->score(part);
    ASSERT_TRUE(logits);
    ASSERT_EQ(logits->size(), part.size() * vocabulary);
    for (size_t place = 0; place < part.size(); ++place) {
      const auto row = logits->subspan(place * vocabulary, vocabulary);
      EXPECT_EQ(std::max_element(row.begin(), row.end()) - row.begin(),
                nextToken(std::span(tokens).first(begin + place + 1), vocabulary));
    }
  }
  EXPECT_EQ(session->past(), 7);
}

TEST(Session, MemoryThatCannotBeHadIsAnError) {
  FakeRun fake;
  fake.facts.cache_bytes = int64_t(1) << 47;
  fake.facts.cache_positions = 1;
  EXPECT_THAT(
      Session::create(fake.facts, fakeVariant(), &fake.weights, 1000, 1).error().message,
      testing::AllOf(testing::StartsWith("the cache: cannot allocate "), testing::EndsWith("Cannot allocate memory")));
  fake.facts.cache_bytes = int64_t(1) << 62;
  EXPECT_EQ(Session::create(fake.facts, fakeVariant(), &fake.weights, 1000, 1).error().message,
            "the cache for a context of 1000 is larger than memory can be");
}
