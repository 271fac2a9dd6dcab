// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums of exponentials, shifted by the largest logit so that nothing overflows.
#include "lib/evaluate/Score.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <numeric>
#include <string>

namespace halftone::evaluate {

Expected<int64_t> likeliest(std::span<const float> logits) {
  size_t best = 0;
  for (size_t token = 0; token < logits.size(); ++token) {
    if (!(logits[token] <= FLT_MAX))
      return Error{"the logit of token " + std::to_string(token) + " is " +
                   (std::isnan(logits[token]) ? "NaN" : "infinite")};
    if (logits[token] > logits[best])
      best = token;
  }
  if (logits.empty() || logits[best] == -INFINITY)
    return Error{"the logits of all " + std::to_string(logits.size()) + " tokens are minus infinity"};
  return static_cast<int64_t>(best);
}

Expected<double> logSumExp(std::span<const float> logits) {
  const Expected<int64_t> best = likeliest(logits);
  if (!best)
    return best.error();
  const double largest = logits[static_cast<size_t>(*best)];
  double sum = 0;
  for (const float logit : logits)
    sum += std::exp(logit - largest);
  return largest + std::log(sum);
}

void Surprise::add(double surprise) {
  ++count;
  sum += surprise;
}

Status Surprise::add(std::span<const float> logits, int64_t token) {
  const Expected<double> logSum = logSumExp(logits);
  if (!logSum)
    return logSum.error();
  add(*logSum - logits[static_cast<size_t>(token)]);
  return {};
}

double Surprise::perplexity() const { return std::exp(mean()); }

Expected<Distribution> Distribution::create(std::span<const float> logits) {
  const Expected<int64_t> best = halftone::evaluate::likeliest(logits);
  if (!best)
    return best.error();
  Distribution result;
  result.logits = logits;
  result.likeliest = static_cast<size_t>(*best);
  const double largest = logits[result.likeliest];
  double sum = 0;
  result.weights.reserve(logits.size());
  for (const float logit : logits)
    sum += result.weights.emplace_back(std::exp(logit - largest));
  result.logSum = largest + std::log(sum);
  return result;
}

// KL(p || q) is the sum of p (log p - log q) [Cover and Thomas 2006, eq. 2.26], where log p = logit - logSum of each. p
// is weight / the sum of weights. A token that p rules out adds nothing.
double Distribution::divergence(const Distribution &other) const {
  double weighted = 0, sum = 0;
  for (size_t token = 0; token < logits.size(); ++token)
    if (const double weight = weights[token]; weight > 0) {
      weighted += weight * (double(logits[token]) - other.logits[token]);
      sum += weight;
    }
  return std::max(0.0, weighted / sum - (logSum - other.logSum)); // never negative but for rounding
}

void Comparison::add(const Distribution &reference, const Distribution &model, int64_t token) {
  own.add(model.surprise(token));
  divergences.push_back(reference.divergence(model));
  sameTop += reference.top() == model.top();
}

double Comparison::meanDivergence() const {
  const double sum = std::accumulate(divergences.begin(), divergences.end(), 0.0);
  return divergences.empty() ? 0 : sum / static_cast<double>(divergences.size());
}

double Comparison::divergenceQuantile(double share) const {
  if (divergences.empty())
    return 0;
  std::vector<double> sorted = divergences;
  std::sort(sorted.begin(), sorted.end());
  const double place = share * static_cast<double>(sorted.size() - 1);
  const size_t below = static_cast<size_t>(place), above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

double Comparison::sameTopShare() const {
  return divergences.empty() ? 0 : static_cast<double>(sameTop) / static_cast<double>(divergences.size());
}

} // namespace halftone::evaluate
