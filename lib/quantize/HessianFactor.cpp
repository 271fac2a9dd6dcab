// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Damping, order and factor of a Hessian.
#include "lib/quantize/HessianFactor.h"
#include "lib/matrix/Eigenvalue.h"
#include "lib/matrix/InverseFactor.h"
#include "lib/matrix/Tiles.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

namespace halftone::quantize {

using matrix::MatrixView;
using matrix::ParallelFor;

/// What damping grows by when it was not enough; from which on growing is no use.
static constexpr double dampStep = 0.01, largestDamp = 1;

static std::string spell(double value) {
  return std::isnan(value) ? "nan" : std::isinf(value) ? value > 0 ? "inf" : "-inf" : std::to_string(value);
}

static Status checkValues(MatrixView<const double> hessian, const ParallelFor &parallelFor) {
  std::vector<int64_t> bad(hessian.rows, -1);
  parallelFor(hessian.rows, [&](int64_t row) {
    for (int64_t column = row; column >= 0; --column)
      if (!std::isfinite(hessian(row, column)))
        bad[row] = column;
  });
  for (int64_t row = 0; row < hessian.rows; ++row) {
    if (bad[row] >= 0)
      return Error{"row " + std::to_string(row) + ", column " + std::to_string(bad[row]) + " of the Hessian is " +
                   spell(hessian(row, bad[row]))};
    if (hessian(row, row) < 0)
      return Error{"column " + std::to_string(row) + " of the Hessian has " + spell(hessian(row, row)) +
                   " on the diagonal, where no square is negative"};
  }
  return {};
}

static std::vector<double> diagonalOf(MatrixView<const double> square) {
  std::vector<double> diagonal(square.rows);
  for (int64_t i = 0; i < square.rows; ++i)
    diagonal[i] = square(i, i);
  return diagonal;
}

static void setDiagonal(MatrixView<double> square, std::span<const double> diagonal) {
  for (int64_t i = 0; i < square.rows; ++i)
    square(i, i) = diagonal[i];
}

/// The mean of the diagonal over the columns that are not dead.
static double meanOf(std::span<const double> diagonal) {
  const auto live = diagonal.size() - std::ranges::count(diagonal, 0.0);
  return live == 0 ? 0 : std::accumulate(diagonal.begin(), diagonal.end(), 0.0) / static_cast<double>(live);
}

/// The mean of the diagonal over each column's block; dead columns count as 0 here.
static std::vector<double> blockMeans(std::span<const double> diagonal, int64_t block) {
  std::vector<double> means(diagonal.size());
  const matrix::Tiles blocks{static_cast<int64_t>(diagonal.size()), block};
  for (int64_t b = 0; b < blocks.count(); ++b) {
    const auto values = diagonal.subspan(blocks.start(b), blocks.length(b));
    const double sum = std::accumulate(values.begin(), values.end(), 0.0);
    std::fill_n(means.begin() + blocks.start(b), blocks.length(b), sum / static_cast<double>(blocks.length(b)));
  }
  return means;
}

/// Of equals the first column comes first.
static std::vector<int64_t> orderOf(std::span<const double> diagonal, const HessianOptions &options) {
  const auto columns = static_cast<int64_t>(diagonal.size());
  std::vector<int64_t> order(columns);
  std::iota(order.begin(), order.end(), int64_t(0));
  if (options.order == ColumnOrder::LeftToRight)
    return order;
  const bool isOneBlock = options.order == ColumnOrder::Falling || options.block == 0;
  const int64_t block = isOneBlock ? columns : options.block;
  const std::vector<double> means = blockMeans(diagonal, block);
  const auto key = [&](int64_t column) {
    return std::tuple(-means[column], column / block, -diagonal[column], column);
  };
  std::ranges::sort(order, {}, key);
  return order;
}

/// Fills the upper triangle with the lower one in another order of columns, and the diagonal with `diagonal` + damping.
static void copyDamped(MatrixView<double> square, std::span<const int64_t> order, std::span<const double> diagonal,
                       double damping, const ParallelFor &parallelFor) {
  parallelFor(square.rows, [&](int64_t i) {
    const double onDiagonal = diagonal[order[i]];
    square(i, i) = (onDiagonal == 0 ? 1 : onDiagonal) + damping;
    for (int64_t j = i + 1; j < square.columns; ++j)
      square(i, j) = square(std::max(order[i], order[j]), std::min(order[i], order[j]));
  });
}

Expected<HessianFactor> HessianFactor::compute(MatrixView<double> hessian, const HessianOptions &options,
                                               const ParallelFor &parallelFor) {
  if (Status status = checkValues(hessian, parallelFor); !status)
    return status.error();
  HessianFactor factor;
  const std::vector<double> diagonal = diagonalOf(hessian);
  factor.square = hessian;
  factor.columnOrder = orderOf(diagonal, options);
  for (int64_t column = 0; column < hessian.columns; ++column)
    if (diagonal[column] == 0)
      factor.facts.deadColumns.push_back(column);
  const double mean = meanOf(diagonal);
  for (int raised = 0;; ++raised) {
    const double damp = options.damp + raised * dampStep;
    copyDamped(hessian, factor.columnOrder, diagonal, damp * mean, parallelFor);
    const std::optional<int64_t> bad = matrix::invertIntoFactor(hessian, parallelFor);
    factor.facts.damp = damp;
    if (!bad)
      break;
    if (damp >= largestDamp) {
      setDiagonal(hessian, diagonal);
      return Error{"column " + std::to_string(factor.columnOrder[*bad]) +
                   " of the Hessian is not positive definite, not even with a damping of " + spell(damp)};
    }
  }
  factor.factorDiagonal = diagonalOf(hessian);
  const double inverse = matrix::largestEigenvalueOfSquare(hessian);
  setDiagonal(hessian, diagonal);
  factor.facts.condition = inverse * (matrix::largestEigenvalue(hessian) + factor.facts.damp * mean);
  return factor;
}

} // namespace halftone::quantize
