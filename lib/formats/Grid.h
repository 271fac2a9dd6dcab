// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The values that a block of a format may take, and which of them a weight becomes. The one rounding rule behind every
// method: round to nearest takes the grid of the extremes, others search for a better one or change the weights.
#pragma once

#include "lib/formats/Format.h"
#include "lib/formats/Rounding.h"

#include <span>
#include <vector>

namespace halftone::formats {

/// What a block stores beside its codes.
struct Grid {
  /// A value that the format's scale type holds exactly; 0 makes every code decode to 0.
  float scale = 0;
  /// The code that means 0 in a format that stores one, otherwise 0.
  uint8_t zero = 0;

  bool operator==(const Grid &) const = default;
};

/// Encodes and decodes values on the grids of one format with codes. What depends on the format alone is prepared once.
class GridCodec {
public:
  explicit GridCodec(const Format &format);

  const Format &format() const { return description; }

  /// A grid as it would be stored: the scale rounded to its type, one that vanishes to +0 whatever its sign.
  Grid storedGrid(float scale, int zero = 0) const;
  /// The narrowest grid that holds all values of extent. In a format without a zero point it may be turned: with a
  /// negative scale, and the ends of the grid exchanged.
  Grid gridOver(Extent extent, bool isTurned = false) const;
  /// The grid that round to nearest takes for a finite block; see encodeRow.
  Grid extremeGrid(std::span<const float> block) const { return extremeGrid(block, extentOf(block)); }
  Grid extremeGrid(std::span<const float> block, Extent extent) const;

  /// The code whose value is nearest, of two equally near an even one.
  uint8_t encode(const Grid &grid, float value) const;
  /// One f32 rounding of the exact product.
  float decode(const Grid &grid, uint8_t code) const;

  /// The same for the values of a block; a code a value.
  void encode(const Grid &grid, std::span<const float> values, uint8_t *codes) const;
  void decode(const Grid &grid, std::span<const uint8_t> codes, float *values) const;

private:
  /// Integer codes, and zero levels subtracted, of a grid.
  struct Range {
    int zero, lowest, highest;
  };
  Range rangeOf(const Grid &grid) const;
  void encodeOnLevels(float step, std::span<const float> values, uint8_t *codes) const;

  Format description;
  /// Of a codebook: the codes of its distinct levels in ascending order of the levels, and between each two of them the
  /// largest value that belongs to the lower one.
  std::vector<uint8_t> ascending;
  std::vector<float> thresholds;
};

} // namespace halftone::formats
