// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Padding of tokens and the call of a phase on every thread.
#include "lib/runtime/Session.h"

#include <algorithm>

namespace halftone::runtime {

/// Bytes of a cache for `positions` positions, in whole steps; nothing when that overflows.
static std::optional<uint64_t> cacheBytes(const Facts &facts, int64_t positions) {
  const uint64_t step = static_cast<uint64_t>(facts.cache_positions);
  const uint64_t steps = (static_cast<uint64_t>(positions) + step - 1) / step;
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(steps, static_cast<uint64_t>(facts.cache_bytes), &bytes))
    return std::nullopt;
  return bytes;
}

Expected<Session> Session::create(const Facts &facts, const Variant &variant, const void *weights, int64_t context,
                                  int64_t threads) {
  const std::optional<uint64_t> bytes = cacheBytes(facts, context + facts.token_step);
  if (!bytes)
    return Error{"the cache for a context of " + std::to_string(context) + " is larger than memory can be"};
  Expected<Memory> arena = Memory::allocate(static_cast<uint64_t>(facts.arena_bytes), "scratch memory");
  if (!arena)
    return arena.error();
  Expected<Memory> cache = Memory::allocate(*bytes, "the cache");
  if (!cache)
    return cache.error();
  Expected<Memory> logits = Memory::allocate(static_cast<uint64_t>(facts.vocabulary) * sizeof(float), "logits");
  if (!logits)
    return logits.error();
  Expected<std::unique_ptr<Team>> team = Team::create(threads);
  if (!team)
    return team.error();
  return Session(facts, variant, weights, context, std::move(*arena), std::move(*cache), std::move(*logits),
                 std::move(*team));
}

Session::Session(const Facts &facts, const Variant &variant, const void *weights, int64_t context, Memory arena,
                 Memory cache, Memory logits, std::unique_ptr<Team> team)
    : facts(&facts), variant(&variant), weights(weights), most(context), arena(std::move(arena)),
      cache(std::move(cache)), logits(std::move(logits)), team(std::move(team)),
      buffer(static_cast<size_t>(facts.chunk)) {}

namespace {
/// A phase with its arguments, the same for all threads.
struct Call {
  halftone_phase *phase;
  const void *weights;
  void *arena, *cache;
  const int64_t *tokens;
  int64_t count;
  float *logits;
  int64_t past;
  Team *team;
};
} // namespace

static void callOnThread(void *argument, int64_t thread) {
  const Call &call = *static_cast<const Call *>(argument);
  call.phase(call.weights, call.arena, call.cache, call.tokens, call.count, call.logits, call.past, call.team, thread,
             call.team->threads());
}

void Session::call(halftone_phase *phase, std::span<const int64_t> tokens, int64_t padded) {
  std::copy(tokens.begin(), tokens.end(), buffer.begin());
  std::fill(buffer.begin() + static_cast<ptrdiff_t>(tokens.size()), buffer.begin() + padded, 0);
  Call call{phase,    weights,   arena.data(), cache.data(), buffer.data(), padded, static_cast<float *>(logits.data()),
            position, team.get()};
  team->run(callOnThread, &call);
  position += static_cast<int64_t>(tokens.size());
}

int64_t Session::padded(std::span<const int64_t> tokens) const {
  const int64_t count = static_cast<int64_t>(tokens.size()), step = facts->token_step;
  return (count + step - 1) / step * step;
}

void Session::prefill(std::span<const int64_t> tokens) { call(variant->prefill, tokens, padded(tokens)); }

std::span<const float> Session::decode(int64_t token) {
  call(variant->decode, {&token, 1}, 1);
  return {static_cast<const float *>(logits.data()), static_cast<size_t>(facts->vocabulary)};
}

Expected<std::span<const float>> Session::score(std::span<const int64_t> tokens) {
  // Only who scores needs logits of several tokens.
  const int64_t count = padded(tokens);
  const uint64_t row = static_cast<uint64_t>(facts->vocabulary) * sizeof(float);
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(row, static_cast<uint64_t>(count), &bytes))
    return Error{"the logits of " + std::to_string(count) + " tokens are larger than memory can be"};
  if (logits.size() < bytes) {
    Expected<Memory> grown = Memory::allocate(bytes, "logits");
    if (!grown)
      return grown.error();
    logits = std::move(*grown);
  }
  call(variant->score, tokens, count);
  return std::span<const float>(static_cast<const float *>(logits.data()),
                                tokens.size() * static_cast<size_t>(facts->vocabulary));
}

} // namespace halftone::runtime
