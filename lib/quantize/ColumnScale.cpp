// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Powers of magnitudes, and rounding behind them.
#include "lib/quantize/ColumnScale.h"
#include "lib/formats/Codec.h"
#include "lib/matrix/Tiles.h"

#include <algorithm>
#include <cmath>

namespace halftone::quantize {

/// Rows of a piece of work.
static constexpr int64_t pieceRows = 16;

/// Below it a column counts as if it were so large: what is never seen must not be scaled away.
static constexpr double leastScale = 1e-4;

std::vector<float> activationScale(std::span<const float> meanAbs, double alpha) {
  std::vector<double> scale(meanAbs.size());
  std::ranges::transform(meanAbs, scale.begin(),
                         [&](double mean) { return std::max(std::pow(mean, alpha), leastScale); });
  const auto [least, most] = std::ranges::minmax(scale);
  const double middle = std::sqrt(least) * std::sqrt(most);
  std::vector<float> result(scale.size());
  std::ranges::transform(scale, result.begin(), [&](double value) { return static_cast<float>(value / middle); });
  return result;
}

std::vector<float> smoothingScale(std::span<const float> largestInput, std::span<const float> largestWeight,
                                  double alpha) {
  std::vector<float> result(largestInput.size(), 1);
  for (size_t i = 0; i < result.size(); ++i)
    if (largestInput[i] > 0 && largestWeight[i] > 0 && std::isfinite(largestWeight[i]))
      result[i] = static_cast<float>(std::pow(static_cast<double>(largestInput[i]), alpha) /
                                     std::pow(static_cast<double>(largestWeight[i]), 1 - alpha));
  return result;
}

static Status roundRow(const formats::Format &format, std::span<const float> weights, std::span<const float> scale,
                       std::span<float> result) {
  formats::RowBuffer encoded(format, static_cast<int64_t>(weights.size()));
  std::ranges::transform(weights, scale, result.begin(), std::multiplies());
  if (Status status = formats::encodeRow(format, result, encoded.row()); !status)
    return status;
  formats::decodeRow(format, encoded.view(), result);
  std::ranges::transform(result, scale, result.begin(), std::divides());
  return {};
}

Status roundScaled(const formats::Format &format, matrix::MatrixView<const float> weights, std::span<const float> scale,
                   matrix::MatrixView<float> result, const matrix::ParallelFor &parallelFor) {
  std::vector<Status> statuses(weights.rows);
  const matrix::Tiles pieces{weights.rows, pieceRows};
  parallelFor(pieces.count(), [&](int64_t piece) {
    for (int64_t row = pieces.start(piece); row < pieces.start(piece + 1); ++row)
      statuses[row] = roundRow(format, weights.row(row), scale, result.row(row));
  });
  for (int64_t row = 0; row < weights.rows; ++row)
    if (!statuses[row])
      return Error{"row " + std::to_string(row) + ", " + statuses[row].error().message};
  return {};
}

} // namespace halftone::quantize
