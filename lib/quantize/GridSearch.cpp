// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Candidates, and the measure that they are held against.
#include "lib/quantize/GridSearch.h"
#include "lib/quantize/FitGrid.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace halftone::quantize {

using formats::Grid;
using formats::GridCodec;

namespace {
/// The best grid of a block so far.
class Search {
public:
  Search(const GridCodec &codec, std::span<const float> block, std::span<const float> importance,
         const GridSearchOptions &options)
      : codec(codec), block(block), importance(importance), options(options), codes(block.size()),
        values(block.size()) {}

  const Grid &best() const { return bestGrid; }

  /// Holds `grid` against the best one, then the grids that fit the codes that it leads to.
  void offer(Grid grid) {
    compare(grid);
    for (int i = 0; i < options.refits; ++i) {
      const Grid fitted = fitGrid(codec, grid, codes, block, importance);
      if (fitted == grid)
        return;
      compare(grid = fitted);
    }
  }

private:
  void compare(const Grid &grid) {
    codec.encode(grid, block, codes.data());
    codec.decode(grid, codes, values.data());
    const double loss = measure();
    if (loss < bestLoss) {
      bestLoss = loss;
      bestGrid = grid;
    }
  }

  double measure() const {
    const auto norm = static_cast<float>(options.norm);
    double sum = 0;
    for (size_t i = 0; i < block.size(); ++i) {
      const float error = std::fabs(block[i] - values[i]);
      sum += importance[i] * (norm == 2 ? error * error : std::pow(error, norm));
    }
    return sum;
  }

  const GridCodec &codec;
  std::span<const float> block, importance;
  const GridSearchOptions &options;
  std::vector<uint8_t> codes;
  std::vector<float> values;
  Grid bestGrid;
  double bestLoss = HUGE_VAL;
};
} // namespace

/// Whether a scale of the other sign gives other values.
static bool hasTwoSides(const formats::Format &format) { return !format.zeroPoint && !format.code.isBalanced(); }

/// Size `index` of the extremes.
static float sizeAt(int index, const GridSearchOptions &options) {
  return static_cast<float>(options.sizes < 2 ? 1 : 1 + index * ((options.smallest - 1) / (options.sizes - 1)));
}

Grid searchGrid(const GridCodec &codec, std::span<const float> block, std::span<const float> importance,
                const GridSearchOptions &options) {
  if (std::ranges::all_of(importance, [](float weight) { return weight == 0; }))
    return searchGrid(codec, block, std::vector<float>(block.size(), 1), options);
  const formats::Extent extent = formats::extentOf(block);
  Search search(codec, block, importance, options);
  search.offer(codec.extremeGrid(block, extent));
  for (int i = 0; i < options.sizes; ++i) {
    const float size = sizeAt(i, options);
    const formats::Extent shrunk{size * extent.lowest, size * extent.highest};
    search.offer(codec.gridOver(shrunk));
    if (hasTwoSides(codec.format()))
      search.offer(codec.gridOver(shrunk, /*isTurned=*/true));
  }
  return search.best();
}

} // namespace halftone::quantize
