// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A row of columns, cut into tiles of one width; and the pairs of tiles that make up a lower triangle.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace halftone::matrix {

/// `size` rows or columns in tiles of `width`; the last tile may be narrower.
struct Tiles {
  int64_t size = 0;
  int64_t width = 0;

  int64_t count() const { return (size + width - 1) / width; }
  /// Where a tile starts; the end of all for the tile after the last.
  int64_t start(int64_t tile) const { return std::min(tile * width, size); }
  int64_t length(int64_t tile) const { return start(tile + 1) - start(tile); }
};

struct TilePair {
  int64_t row = 0;
  int64_t column = 0;
};

/// How many pairs row >= column there are.
inline int64_t pairCount(const Tiles &tiles) { return tiles.count() * (tiles.count() + 1) / 2; }

/// Pair `index` of (0, 0), (1, 0), (1, 1), (2, 0) ..
inline TilePair pairAt(int64_t index) {
  int64_t row = static_cast<int64_t>((std::sqrt(8.0 * static_cast<double>(index) + 1) - 1) / 2);
  while (row * (row + 1) / 2 > index)
    --row;
  while ((row + 1) * (row + 2) / 2 <= index)
    ++row;
  return {row, index - row * (row + 1) / 2};
}

} // namespace halftone::matrix
