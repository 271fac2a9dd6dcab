// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Codes, errors set aside, grid, and again.
#include "lib/quantize/Hqq.h"
#include "lib/quantize/FitGrid.h"

#include <cmath>
#include <vector>

namespace halftone::quantize {

using formats::Grid;

/// What is set aside of an error, by the shrinkage of [eq. 5]: all but a multiple of |error|^(p - 1), which is such
/// that nothing is set aside up to threshold * mean.
static double setAside(double error, double mean, const HqqOptions &options) {
  const double size = std::fabs(error) / mean;
  if (!(size > options.threshold))
    return 0;
  return std::copysign((size - std::pow(size, options.norm - 1) * std::pow(options.threshold, 2 - options.norm)) * mean,
                       error);
}

Grid fitHalfQuadratic(const formats::GridCodec &codec, std::span<const float> block, const HqqOptions &options) {
  std::vector<uint8_t> codes(block.size());
  std::vector<float> values(block.size()), targets(block.size());
  std::vector<double> errors(block.size());
  const std::vector<float> alike(block.size(), 1);
  Grid grid = codec.extremeGrid(block), best = grid;
  double least = HUGE_VAL;
  for (int i = 0; i < options.iterations; ++i) {
    codec.encode(grid, block, codes.data());
    codec.decode(grid, codes, values.data());
    double loss = 0, sum = 0;
    for (size_t k = 0; k < block.size(); ++k) {
      errors[k] = double(block[k]) - values[k];
      loss += std::pow(std::fabs(errors[k]), options.norm);
      sum += std::fabs(errors[k]);
    }
    if (!(loss < least) || sum == 0)
      return sum == 0 ? grid : best;
    least = loss;
    best = grid;
    for (size_t k = 0; k < block.size(); ++k)
      targets[k] = static_cast<float>(block[k] - setAside(errors[k], sum / double(block.size()), options));
    grid = fitGrid(codec, grid, codes, targets, alike);
  }
  return best;
}

Expected<GptqResult> hqq(const formats::Format &format, matrix::MatrixView<const float> weights,
                         const HqqOptions &options, const matrix::ParallelFor &parallelFor) {
  if (format.isPlain())
    return Error{"hqq rounds to codes, and '" + formats::name(format) + "' stores values"};
  const formats::GridCodec codec(format);
  const auto fit = [&](std::span<const float> block, int64_t) { return fitHalfQuadratic(codec, block, options); };
  return roundOnGrids(codec, weights, {}, fit, parallelFor);
}

} // namespace halftone::quantize
