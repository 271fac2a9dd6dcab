// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Weighted least squares in one or two unknowns.
#include "lib/quantize/FitGrid.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace halftone::quantize {

using formats::Grid;
using formats::GridCodec;

/// The code that means 0 on the line target = scale * code + offset through weighted points.
static uint8_t fitZero(int maxCode, uint8_t zero, std::span<const uint8_t> codes, std::span<const float> targets,
                       std::span<const float> importance) {
  double weight = 0, code = 0, target = 0, codeSquare = 0, product = 0;
  for (size_t i = 0; i < codes.size(); ++i) {
    const double w = importance[i], c = codes[i], t = targets[i];
    weight += w;
    code += w * c;
    target += w * t;
    codeSquare += w * c * c;
    product += w * c * t;
  }
  const double scale = (weight * product - code * target) / (weight * codeSquare - code * code);
  const double exact = (code - target / scale) / weight;
  return scale > 0 && std::isfinite(exact) ? static_cast<uint8_t>(std::clamp(std::nearbyint(exact), 0.0, 1.0 * maxCode))
                                           : zero;
}

Grid fitGrid(const GridCodec &codec, const Grid &grid, std::span<const uint8_t> codes, std::span<const float> targets,
             std::span<const float> importance) {
  const formats::Format &format = codec.format();
  const uint8_t zero =
      format.zeroPoint ? fitZero(format.code.maxCode(), grid.zero, codes, targets, importance) : uint8_t(0);
  std::vector<float> levels(codes.size());
  codec.decode({1, zero}, codes, levels.data());
  double product = 0, square = 0;
  for (size_t i = 0; i < codes.size(); ++i) {
    product += static_cast<double>(importance[i]) * levels[i] * targets[i];
    square += static_cast<double>(importance[i]) * levels[i] * levels[i];
  }
  return square > 0 ? codec.storedGrid(static_cast<float>(product / square), zero) : grid;
}

} // namespace halftone::quantize
