// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums over a row.
#include "lib/quantize/RowStatistics.h"

#include <algorithm>
#include <cmath>

namespace halftone::quantize {

double RowStatistics::error() const { return squaredNorm == 0 ? 0 : std::sqrt(squaredError / squaredNorm); }

/// How many blocks of `weights` are not zero but have the scale 0.
static int64_t countVanished(const formats::Format &format, std::span<const float> weights,
                             std::span<const float> scales) {
  int64_t count = 0;
  const auto columns = static_cast<int64_t>(weights.size());
  for (size_t b = 0; b < scales.size(); ++b) {
    auto block = weights.subspan(format.blockStart(b), format.blockLength(columns, b));
    count += scales[b] == 0 && std::ranges::any_of(block, [](float weight) { return weight != 0; });
  }
  return count;
}

RowStatistics measureRow(const formats::Format &format, std::span<const float> weights, std::span<const float> decoded,
                         std::span<const float> scales) {
  RowStatistics statistics;
  for (size_t i = 0; i < weights.size(); ++i) {
    const double weight = weights[i], error = decoded[i] - weight;
    statistics.squaredError += error * error;
    statistics.squaredNorm += weight * weight;
  }
  statistics.vanishedBlocks = countVanished(format, weights, scales);
  return statistics;
}

} // namespace halftone::quantize
