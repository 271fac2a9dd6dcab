// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The mathematics of measuring a language model, over f32 logits and in f64: log-probabilities, KL divergence,
// quantiles. All sums run in the order in which tokens are added, so that the same logits give the same figures.
#pragma once

#include "lib/io/Result.h"

#include <cstdint>
#include <span>
#include <vector>

namespace halftone::evaluate {

/// The token of the highest logit, of equally high ones the first. Fails as logSumExp() does.
Expected<int64_t> likeliest(std::span<const float> logits);

/// log of the sum of exp(logit) over the vocabulary. Fails when a logit is NaN or plus infinity, naming its token, and
/// when all are minus infinity.
Expected<double> logSumExp(std::span<const float> logits);

/// The surprise of scored tokens: -log p(token), in nats.
class Surprise {
public:
  void add(double surprise);
  /// \param logits of the whole vocabulary, in which `token` is scored.
  Status add(std::span<const float> logits, int64_t token);

  int64_t tokens() const { return count; }
  /// Mean over the tokens, nats; 0 without tokens.
  double mean() const { return count == 0 ? 0 : sum / static_cast<double>(count); }
  /// exp(mean()).
  double perplexity() const;

private:
  int64_t count = 0;
  double sum = 0;
};

/// What a model holds for the next token: worked out once, compared with any number of others.
class Distribution {
public:
  /// Points into `logits`. Fails as logSumExp() does.
  static Expected<Distribution> create(std::span<const float> logits);

  /// The token found likeliest; of equally likely ones the first.
  size_t top() const { return likeliest; }
  double surprise(int64_t token) const { return logSum - logits[static_cast<size_t>(token)]; }
  /// KL(this || other), nats, of as many tokens. Infinite when `other` rules out a token that this does not.
  double divergence(const Distribution &other) const;

private:
  std::span<const float> logits;
  size_t likeliest = 0;
  double logSum = 0;
  std::vector<double> weights; ///< exp(logit - largest logit)
};

/// A model's probabilities against a reference's, over the same scored tokens.
class Comparison {
public:
  /// Both over the whole vocabulary, in which `token` is scored.
  void add(const Distribution &reference, const Distribution &model, int64_t token);

  /// Of the model.
  const Surprise &surprise() const { return own; }
  /// Mean over the tokens of KL(reference || model), nats.
  double meanDivergence() const;
  /// The value that a share `share` of the tokens' KL divergences does not exceed, 0 <= share <= 1; between two of them
  /// interpolated linearly, as numpy.quantile does.
  double divergenceQuantile(double share) const;
  /// The share of tokens for which both find the same token likeliest.
  double sameTopShare() const;

private:
  Surprise own;
  std::vector<double> divergences; // of each token
  int64_t sameTop = 0;
};

} // namespace halftone::evaluate
