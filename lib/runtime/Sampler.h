// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which token comes next: temperature, top-k, top-p, and a random generator with a seed.
#pragma once

#include "lib/io/Result.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace halftone::runtime {

/// xoshiro256++ [Blackman and Vigna 2021], seeded through splitmix64: the same numbers on every machine.
class RandomGenerator {
public:
  explicit RandomGenerator(uint64_t seed);
  uint64_t next();
  /// Uniform in [0, 1), with 53 bits.
  double uniform();

private:
  std::array<uint64_t, 4> state;
};

struct SamplerOptions {
  /// Logits are divided by it; 0 takes the highest one, the lowest id among equals.
  double temperature = 0.8;
  /// Only the k highest logits; 0 for all.
  int64_t topK = 40;
  /// Only the fewest tokens whose probabilities, after temperature and top-k, sum to at least p; 1 for all.
  double topP = 0.95;
  uint64_t seed = 0;
};

/// Draws tokens. The same options and logits give the same tokens.
class Sampler {
public:
  explicit Sampler(const SamplerOptions &options) : options(options), random(options.seed) {}

  /// \param logits one per token; minus infinity rules a token out. Fails on NaN, on plus infinity, and when all are
  /// ruled out.
  Expected<int64_t> sample(std::span<const float> logits);

private:
  struct Candidate {
    float logit;
    int32_t token;
  };
  static bool before(const Candidate &left, const Candidate &right);
  void keepAll(std::span<const float> logits);
  void keepHighest(std::span<const float> logits, size_t count);
  void weigh();
  void dropUnlikely(double total);
  size_t nucleus(double wanted);
  int64_t draw(size_t count, double total);

  SamplerOptions options;
  RandomGenerator random;
  std::vector<Candidate> candidates;
  std::vector<double> weights; // of the candidates, not normalized
};

} // namespace halftone::runtime
