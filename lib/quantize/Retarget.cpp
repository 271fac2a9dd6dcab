// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Three products with matrices of columns x columns, each tile by tile: nothing of that size is held twice.
#include "lib/quantize/Retarget.h"

#include "lib/matrix/Product.h"
#include "lib/matrix/Tiles.h"

namespace halftone::quantize {

using matrix::MatrixView;
using matrix::Tiles;

static constexpr int64_t tileWidth = 256;

namespace {

/// A matrix of its own.
struct Dense {
  Dense(int64_t rows, int64_t columns) : values(rows * columns), view(values.data(), rows, columns) {}
  std::vector<float> values;
  MatrixView<float> view;
};

/// Element (i, j) of U, 0 below the diagonal.
struct Upper {
  const HessianFactor &factor;

  float operator()(int64_t i, int64_t j) const {
    return static_cast<float>(i < j ? factor.aboveDiagonal()(i, j) : i == j ? factor.diagonal()[i] : 0.0);
  }
};

} // namespace

/// The columns `columns` of W D + E, in f32.
static void drifted(MatrixView<const float> weights, MatrixView<const double> input, MatrixView<const double> residual,
                    int64_t first, MatrixView<float> result) {
  Dense part(input.rows, result.columns);
  for (int64_t row = 0; row < input.rows; ++row)
    for (int64_t column = 0; column < result.columns; ++column)
      part.view(row, column) = static_cast<float>(input(row, first + column));
  matrix::setProduct(result, weights, MatrixView<const float>(part.view));
  for (int64_t row = 0; row < residual.rows; ++row)
    for (int64_t column = 0; column < result.columns; ++column)
      result(row, column) += static_cast<float>(residual(row, first + column));
}

/// result = left * U^T, or left * U, with `left` and `result` in the order of rounding.
static void multiply(MatrixView<const float> left, const Upper &upper, bool isTransposed, MatrixView<float> result,
                     const matrix::ParallelFor &parallelFor) {
  const Tiles tiles{left.columns, tileWidth};
  parallelFor(tiles.count(), [&](int64_t tile) {
    const int64_t start = tiles.start(tile), width = tiles.length(tile);
    // U^T has only rows from the tile on in these columns, U only those up to it.
    const int64_t first = isTransposed ? start : 0, last = isTransposed ? left.columns : start + width;
    Dense part(last - first, width);
    for (int64_t row = 0; row < part.view.rows; ++row)
      for (int64_t column = 0; column < width; ++column)
        part.view(row, column) = isTransposed ? upper(start + column, first + row) : upper(first + row, start + column);
    matrix::setProduct(result.block(0, start, left.rows, width), left.block(0, first, left.rows, last - first),
                       MatrixView<const float>(part.view));
  });
}

void retarget(MatrixView<float> weights, MatrixView<const double> input, MatrixView<const double> residual,
              const HessianFactor &factor, const matrix::ParallelFor &parallelFor) {
  const std::span<const int64_t> order = factor.order();
  const Tiles tiles{weights.columns, tileWidth};
  Dense moved(weights.rows, weights.columns), ordered(weights.rows, weights.columns);
  parallelFor(tiles.count(), [&](int64_t tile) {
    const int64_t start = tiles.start(tile), width = tiles.length(tile);
    drifted(weights, input, residual, start, moved.view.block(0, start, weights.rows, width));
  });
  for (int64_t row = 0; row < weights.rows; ++row)
    for (int64_t column = 0; column < weights.columns; ++column)
      ordered.view(row, column) = moved.view(row, order[column]);
  multiply(ordered.view, Upper{factor}, /*isTransposed=*/true, moved.view, parallelFor);
  multiply(moved.view, Upper{factor}, /*isTransposed=*/false, ordered.view, parallelFor);
  for (int64_t row = 0; row < weights.rows; ++row)
    for (int64_t column = 0; column < weights.columns; ++column)
      weights(row, order[column]) += ordered.view(row, column);
}

} // namespace halftone::quantize
