// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each tile of the triangle is one piece of work: it takes all samples in turn.
#include "lib/matrix/Gram.h"
#include "lib/matrix/OpenBlas.h"
#include "lib/matrix/Product.h"
#include "lib/matrix/Tiles.h"

#include <array>
#include <cassert>
#include <memory>
#include <numeric>
#include <vector>

namespace halftone::matrix {

/// Wide tiles multiply fastest; narrow ones leave something for every thread when there are few columns.
static Tiles tilesOf(int64_t columns) { return {columns, columns > 1024 ? 512 : 192}; }
/// Samples of one f32 product.
static constexpr int64_t chunk = 512;

/// product = a^T a, the lower triangle only.
static void setLowerGram(MatrixView<float> product, MatrixView<const float> a) {
  cblas_ssyrk(CblasRowMajor, CblasLower, CblasTrans, blasInt(a.columns), blasInt(a.rows), 1, a.data, blasInt(a.stride),
              0, product.data, blasInt(product.stride));
}

static void addLower(MatrixView<double> sum, MatrixView<const float> product) {
  for (int64_t row = 0; row < sum.rows; ++row)
    for (int64_t column = 0; column <= row; ++column)
      sum(row, column) += product(row, column);
}

static void addAll(MatrixView<double> sum, MatrixView<const float> product) {
  for (int64_t row = 0; row < sum.rows; ++row)
    for (int64_t column = 0; column < sum.columns; ++column)
      sum(row, column) += product(row, column);
}

void addGram(MatrixView<const float> samples, MatrixView<double> sum, const ParallelFor &parallelFor) {
  assert(sum.rows == samples.columns && sum.columns == samples.columns);
  const Tiles tiles = tilesOf(samples.columns), chunks{samples.rows, chunk};
  parallelFor(pairCount(tiles), [&](int64_t index) {
    const auto [i, j] = pairAt(index);
    const int64_t height = tiles.length(i), width = tiles.length(j);
    const auto scratch = std::make_unique_for_overwrite<float[]>(height * width);
    const MatrixView<float> product(scratch.get(), height, width);
    const MatrixView<double> tile = sum.block(tiles.start(i), tiles.start(j), height, width);
    for (int64_t c = 0; c < chunks.count(); ++c) {
      const auto part = [&](int64_t t) {
        return samples.block(chunks.start(c), tiles.start(t), chunks.length(c), tiles.length(t));
      };
      if (i == j) {
        setLowerGram(product, part(i));
        addLower(tile, product);
      } else {
        setProduct(product, transposed(part(i)), part(j));
        addAll(tile, product);
      }
    }
  });
}

/// A tile of a symmetric matrix in f32, off the diagonal as it lies, on the diagonal both triangles.
static void copySymmetric(MatrixView<const double> lower, bool isDiagonal, MatrixView<float> tile) {
  for (int64_t row = 0; row < tile.rows; ++row)
    for (int64_t column = 0; column < tile.columns; ++column)
      tile(row, column) = static_cast<float>(isDiagonal && column > row ? lower(column, row) : lower(row, column));
}

/// In eight sums, so that no addition waits for the one before.
static double dot(MatrixView<const float> a, MatrixView<const float> b) {
  std::array<double, 8> sums = {};
  for (int64_t row = 0; row < a.rows; ++row)
    for (int64_t column = 0; column < a.columns; ++column)
      sums[column % 8] += static_cast<double>(a(row, column)) * b(row, column);
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

double weightedNorm(MatrixView<const float> rows, MatrixView<const double> lower, const ParallelFor &parallelFor) {
  assert(lower.rows == rows.columns && lower.columns == rows.columns);
  const Tiles tiles = tilesOf(rows.columns), chunks{rows.rows, chunk};
  std::vector<double> parts(pairCount(tiles));
  parallelFor(pairCount(tiles), [&](int64_t index) {
    const auto [i, j] = pairAt(index);
    const int64_t height = tiles.length(i), width = tiles.length(j);
    const auto scratch = std::make_unique_for_overwrite<float[]>((height + chunk) * width);
    const MatrixView<float> tile(scratch.get(), height, width);
    copySymmetric(lower.block(tiles.start(i), tiles.start(j), height, width), i == j, tile);
    for (int64_t c = 0; c < chunks.count(); ++c) {
      const auto part = [&](int64_t t) {
        return rows.block(chunks.start(c), tiles.start(t), chunks.length(c), tiles.length(t));
      };
      const MatrixView<float> product(scratch.get() + height * width, chunks.length(c), width);
      setProduct(product, part(i), MatrixView<const float>(tile));
      parts[index] += (i == j ? 1 : 2) * dot(product, part(j));
    }
  });
  return std::accumulate(parts.begin(), parts.end(), 0.0);
}

} // namespace halftone::matrix
