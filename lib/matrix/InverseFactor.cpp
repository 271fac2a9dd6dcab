// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A = R R^T with R upper triangular, from the last tile to the first; then U = R^-1, from the first to the last:
// A^-1 = R^-T R^-1 = U^T U.
#include "lib/matrix/InverseFactor.h"
#include "lib/matrix/OpenBlas.h"
#include "lib/matrix/Product.h"
#include "lib/matrix/Tiles.h"

#include <algorithm>
#include <cassert>
#include <vector>

namespace halftone::matrix {

static constexpr int64_t tileWidth = 256;

namespace {
/// The square in tiles of which only those on and above the diagonal are looked at.
struct UpperTiles {
  MatrixView<double> matrix;
  Tiles tiles{matrix.rows, tileWidth};

  MatrixView<double> tile(int64_t i, int64_t j) const {
    return matrix.block(tiles.start(i), tiles.start(j), tiles.length(i), tiles.length(j));
  }
  /// The tiles (i, first) .. (i, last - 1).
  MatrixView<double> run(int64_t i, int64_t first, int64_t last) const {
    const int64_t start = tiles.start(first), end = tiles.start(last);
    return matrix.block(tiles.start(i), start, tiles.length(i), end - start);
  }
};
} // namespace

/// tile -= a a^T, the upper triangle only.
static void subtractUpperSquare(MatrixView<double> tile, MatrixView<double> a) {
  cblas_dsyrk(CblasRowMajor, CblasUpper, CblasNoTrans, blasInt(a.rows), blasInt(a.columns), -1, a.data,
              blasInt(a.stride), 1, tile.data, blasInt(tile.stride));
}

/// The upper triangle of a square, turned by half a turn: the lower triangle of the result, and back.
static void turn(MatrixView<double> upper, MatrixView<double> lower, bool back) {
  const int64_t last = upper.rows - 1;
  for (int64_t row = 0; row <= last; ++row)
    for (int64_t column = row; column <= last; ++column) {
      double &from = upper(row, column), &to = lower(last - row, last - column);
      back ? from = to : to = from;
    }
}

/// tile = R R^T, R upper: LAPACK knows L L^T only, so the tile is turned. \returns the first column, counted from the
/// last, where that failed.
static std::optional<int64_t> factorTile(MatrixView<double> tile) {
  std::vector<double> memory(tile.rows * tile.rows);
  const MatrixView<double> turned(memory.data(), tile.rows, tile.rows);
  turn(tile, turned, /*back=*/false);
  const int order = blasInt(tile.rows);
  int info = 0;
  dpotrf_("U", &order, turned.data, &order, &info);
  if (info != 0)
    return tile.rows - info;
  // dpotrf lets NaN pass.
  for (int64_t i = 0; i < tile.rows; ++i)
    if (!(turned(i, i) > 0))
      return tile.rows - 1 - i;
  turn(tile, turned, /*back=*/true);
  return std::nullopt;
}

/// A_ik = A_ik R_kk^-T.
static void solveTile(MatrixView<double> tile, MatrixView<double> diagonal) {
  cblas_dtrsm(CblasRowMajor, CblasRight, CblasUpper, CblasTrans, CblasNonUnit, blasInt(tile.rows),
              blasInt(tile.columns), 1, diagonal.data, blasInt(diagonal.stride), tile.data, blasInt(tile.stride));
}

static std::optional<int64_t> factor(const UpperTiles &upper, const ParallelFor &parallelFor) {
  const int64_t count = upper.tiles.count();
  for (int64_t k = count - 1; k >= 0; --k) {
    parallelFor(k + 1, [&](int64_t i) {
      if (i == k)
        subtractUpperSquare(upper.tile(k, k), upper.run(k, k + 1, count));
      else
        addProduct(upper.tile(i, k), -1, upper.run(i, k + 1, count), transposed(upper.run(k, k + 1, count)));
    });
    if (const std::optional<int64_t> bad = factorTile(upper.tile(k, k)))
      return upper.tiles.start(k) + *bad;
    parallelFor(k, [&](int64_t i) { solveTile(upper.tile(i, k), upper.tile(k, k)); });
  }
  return std::nullopt;
}

/// tile = alpha * triangle * tile, or alpha * tile * triangle; the triangle is an upper one.
static void multiplyByTriangle(CBLAS_SIDE side, double alpha, MatrixView<double> triangle, MatrixView<double> tile) {
  cblas_dtrmm(CblasRowMajor, side, CblasUpper, CblasNoTrans, CblasNonUnit, blasInt(tile.rows), blasInt(tile.columns),
              alpha, triangle.data, blasInt(triangle.stride), tile.data, blasInt(tile.stride));
}

static void invertTile(MatrixView<double> tile) {
  const int order = blasInt(tile.rows), stride = blasInt(tile.stride);
  int info = 0;
  dtrtri_("L", "N", &order, tile.data, &stride, &info);
  assert(info == 0 && "the diagonal is positive");
}

/// Column j of the inverse from the columns before it: U_ij = -(sum over i <= k < j of U_ik R_kj) U_jj.
static void invert(const UpperTiles &upper, const ParallelFor &parallelFor) {
  std::vector<double> memory(upper.matrix.rows * tileWidth);
  for (int64_t j = 0; j < upper.tiles.count(); ++j) {
    // R_kj is overwritten by U_kj while others still read it.
    const MatrixView<double> column(memory.data(), upper.tiles.start(j), upper.tiles.length(j));
    for (int64_t row = 0; row < column.rows; ++row)
      std::ranges::copy(upper.matrix.row(row).subspan(upper.tiles.start(j), column.columns), column.row(row).begin());
    invertTile(upper.tile(j, j));
    parallelFor(j, [&](int64_t i) {
      const MatrixView<double> tile = upper.tile(i, j);
      multiplyByTriangle(CblasLeft, 1, upper.tile(i, i), tile);
      const int64_t next = upper.tiles.start(i + 1);
      addProduct(tile, 1, upper.run(i, i + 1, j), column.block(next, 0, column.rows - next, column.columns));
      multiplyByTriangle(CblasRight, -1, upper.tile(j, j), tile);
    });
  }
}

std::optional<int64_t> invertIntoFactor(MatrixView<double> upper, const ParallelFor &parallelFor) {
  assert(upper.rows == upper.columns);
  if (const std::optional<int64_t> bad = factor({upper}, parallelFor))
    return bad;
  invert({upper}, parallelFor);
  return std::nullopt;
}

} // namespace halftone::matrix
