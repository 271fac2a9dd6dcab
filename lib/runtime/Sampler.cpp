// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sorting as little as possible: a heap of the k highest, or a sort that stops once enough probability is together.
#include "lib/runtime/Sampler.h"

#include "lib/evaluate/Score.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace halftone::runtime {

RandomGenerator::RandomGenerator(uint64_t seed) {
  for (uint64_t &word : state) { // splitmix64 [Steele et al. 2014]
    uint64_t z = seed += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    word = z ^ (z >> 31);
  }
}

uint64_t RandomGenerator::next() {
  const uint64_t result = std::rotl(state[0] + state[3], 23) + state[0];
  const uint64_t shifted = state[1] << 17;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= shifted;
  state[3] = std::rotl(state[3], 45);
  return result;
}

double RandomGenerator::uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

bool Sampler::before(const Candidate &left, const Candidate &right) {
  return left.logit > right.logit || (left.logit == right.logit && left.token < right.token);
}

void Sampler::keepAll(std::span<const float> logits) {
  candidates.clear();
  for (size_t token = 0; token < logits.size(); ++token)
    candidates.push_back({logits[token], static_cast<int32_t>(token)});
}

// A heap whose front is the lowest of those kept, so that most tokens cost one comparison.
void Sampler::keepHighest(std::span<const float> logits, size_t count) {
  keepAll(logits.first(count));
  std::make_heap(candidates.begin(), candidates.end(), before);
  for (size_t token = count; token < logits.size(); ++token) {
    if (logits[token] <= candidates.front().logit)
      continue;
    std::pop_heap(candidates.begin(), candidates.end(), before);
    candidates.back() = {logits[token], static_cast<int32_t>(token)};
    std::push_heap(candidates.begin(), candidates.end(), before);
  }
  std::sort_heap(candidates.begin(), candidates.end(), before);
}

// exp((logit - highest) / temperature): at most 1, so that nothing overflows whatever the temperature.
void Sampler::weigh() {
  float top = -INFINITY;
  for (const Candidate &candidate : candidates)
    top = std::max(top, candidate.logit);
  weights.resize(candidates.size());
  for (size_t index = 0; index < candidates.size(); ++index)
    weights[index] = std::exp((double(candidates[index].logit) - top) / options.temperature);
}

// All tokens below (1 - p) / (n - 1) of the probability together have less than 1 - p, so the nucleus needs none of
// them; most go.
void Sampler::dropUnlikely(double total) {
  const double least = (1 - options.topP) * total / static_cast<double>(std::max<size_t>(candidates.size(), 2) - 1);
  size_t kept = 0;
  for (size_t index = 0; index < candidates.size(); ++index)
    if (weights[index] >= least)
      candidates[kept++] = candidates[index];
  if (kept > 0) // rounding, when all are equal
    candidates.resize(kept);
}

// Sorts the front, twice as much each time, until its weights sum to `wanted`; returns how many that takes.
size_t Sampler::nucleus(double wanted) {
  double sum = 0;
  size_t sorted = 0;
  for (size_t end = 64; sorted < candidates.size(); end *= 2) {
    end = std::min(end, candidates.size());
    std::partial_sort(candidates.begin() + static_cast<ptrdiff_t>(sorted),
                      candidates.begin() + static_cast<ptrdiff_t>(end), candidates.end(), before);
    for (; sorted < end; ++sorted) {
      weights[sorted] = std::exp((double(candidates[sorted].logit) - candidates[0].logit) / options.temperature);
      sum += weights[sorted];
      if (sum >= wanted)
        return sorted + 1;
    }
  }
  return candidates.size();
}

int64_t Sampler::draw(size_t count, double total) {
  double left = random.uniform() * total;
  for (size_t index = 0; index + 1 < count; ++index) {
    left -= weights[index];
    if (left < 0)
      return candidates[index].token;
  }
  // Only rounding leads here past the last weight; a token that was ruled out is never taken.
  while (count > 1 && weights[count - 1] == 0)
    --count;
  return candidates[count - 1].token;
}

Expected<int64_t> Sampler::sample(std::span<const float> logits) {
  const Expected<int64_t> best = evaluate::likeliest(logits);
  if (!best || options.temperature == 0)
    return best;
  const auto most = static_cast<size_t>(options.topK);
  if (most > 0 && most < logits.size())
    keepHighest(logits, most);
  else
    keepAll(logits);
  weigh();
  size_t count = candidates.size();
  if (options.topP < 1) {
    const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
    dropUnlikely(total);
    count = nucleus(options.topP * total);
  }
  return draw(count, std::accumulate(weights.begin(), weights.begin() + static_cast<ptrdiff_t>(count), 0.0));
}

} // namespace halftone::runtime
