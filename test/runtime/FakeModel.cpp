// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The phases of the fake. Thread 0 keeps the cache, an array of tokens; after the barrier every thread writes its share
// of the logits.
#include "test/runtime/FakeModel.h"

#include <cmath>
#include <ctime>

namespace halftone::runtime::test {

static constexpr int64_t positionsPerStep = 3, bytesPerStep = 64;
static_assert(positionsPerStep * sizeof(int64_t) <= bytesPerStep);

Facts fakeFacts(int64_t vocabulary, int64_t context) {
  Facts facts = {};
  facts.abi = HALFTONE_MODEL_ABI;
  facts.vocabulary = vocabulary;
  facts.context = context;
  facts.chunk = 4;
  facts.token_step = 2;
  facts.arena_bytes = 64;
  facts.cache_positions = positionsPerStep;
  facts.cache_bytes = bytesPerStep;
  return facts;
}

int64_t nextToken(std::span<const int64_t> tokens, int64_t vocabulary) {
  int64_t sum = 0;
  for (size_t place = 0; place < tokens.size(); ++place)
    sum += static_cast<int64_t>(place + 1) * tokens[place];
  return sum % vocabulary;
}

static int64_t &cached(void *cache, int64_t position) {
  char *step = static_cast<char *>(cache) + position / positionsPerStep * bytesPerStep;
  return reinterpret_cast<int64_t *>(step)[position % positionsPerStep];
}

static void wait(int64_t microseconds) {
  timespec time{microseconds / 1000000, microseconds % 1000000 * 1000};
  if (microseconds > 0)
    while (nanosleep(&time, &time) != 0) {
    }
}

namespace {
struct Call {
  const FakeWeights &weights;
  void *cache;
  int64_t past, vocabulary, thread, threads;
};
} // namespace

/// This thread's share of the logits after the token at `position`.
static void writeLogits(const Call &call, int64_t position, float *logits) {
  int64_t sum = 0;
  for (int64_t place = 0; place <= position; ++place)
    sum += (place + 1) * cached(call.cache, place);
  const bool stops = position + 1 == call.weights.stopAt;
  const int64_t likeliest = stops ? call.weights.stopToken : sum % call.vocabulary;
  const int64_t first = call.vocabulary * call.thread / call.threads,
                last = call.vocabulary * (call.thread + 1) / call.threads;
  for (int64_t token = first; token < last; ++token)
    logits[token] = position == call.weights.notANumberAt ? NAN : -std::abs(static_cast<float>(token - likeliest)) / 2;
}

/// Appends `count` tokens and writes the logits of each, unless `logits` is null.
static void run(const void *weights, void *cache, const int64_t *tokens, int64_t count, float *logits, int64_t past,
                void *team, int64_t thread, int64_t threads) {
  const Call call{*static_cast<const FakeWeights *>(weights), cache, past, halftone_facts.vocabulary, thread, threads};
  if (thread == 0) {
    wait(call.weights.delayMicroseconds);
    for (int64_t place = 0; place < count; ++place)
      cached(cache, past + place) = tokens[place];
  }
  halftone_barrier(team, threads, 0);
  for (int64_t place = 0; logits && place < count; ++place)
    writeLogits(call, past + place, logits + place * call.vocabulary);
  halftone_barrier(team, threads, 1);
}

} // namespace halftone::runtime::test

using halftone::runtime::test::run;

extern "C" {

// Placeholders that test_runtime.py finds in the linked program and replaces, the vocabulary apart, which the phases
// need. Unit tests pass facts of their own.
extern const struct halftone_facts halftone_facts = {
    0x4861660001, 300,          0x4861660003, 0x4861660004, 0x4861660005, 0x4861660006,
    0x4861660007, 0x4861660008, 0x4861660009, 0x486166000a, 0x486166000b, 0x486166000c,
    0x486166000d, 0x486166000e, 0x486166000f, 0x4861660010, 0x4861660011};

static void decode(const void *weights, void *, void *cache, const int64_t *tokens, int64_t count, float *logits,
                   int64_t past, void *team, int64_t thread, int64_t threads) {
  run(weights, cache, tokens, count, logits, past, team, thread, threads);
}

static void prefill(const void *weights, void *, void *cache, const int64_t *tokens, int64_t count, float *,
                    int64_t past, void *team, int64_t thread, int64_t threads) {
  run(weights, cache, tokens, count, nullptr, past, team, thread, threads);
}

static void score(const void *weights, void *, void *cache, const int64_t *tokens, int64_t count, float *logits,
                  int64_t past, void *team, int64_t thread, int64_t threads) {
  run(weights, cache, tokens, count, logits, past, team, thread, threads);
}

// The string, too, is found and replaced.
static constexpr char features[256] = "+features of the fake model";

// "Multiplies" at 1e9 operations a second.
static void multiply(void *, int64_t iterations) { halftone::runtime::test::wait(iterations); }

static constexpr struct halftone_probe probes[] = {{"fake", 1000, multiply}, {}};

extern const struct halftone_variant halftone_variants[] = {{features, decode, prefill, score, probes}, {}};
}
