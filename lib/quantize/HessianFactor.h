// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What GPTQ knows of a linear's inputs: the inverse of their Hessian, factored. Made once for all linears that read the
// same input.
#pragma once

#include "lib/io/Result.h"
#include "lib/matrix/MatrixView.h"
#include "lib/matrix/Parallel.h"

#include <span>
#include <vector>

namespace halftone::quantize {

/// In which order columns are rounded. Those that come late make up for the errors of those that come early, so inputs
/// that matter much are better rounded early.
enum class ColumnOrder : uint8_t {
  LeftToRight,
  /// By falling H_jj: the field's act-order.
  Falling,
  /// Blocks by the falling mean of their H_jj, within a block by falling H_jj. A block's columns stay together, so that
  /// its grid can be made when it is reached, on the weights as they are then.
  FallingBlocks,
};

struct HessianOptions {
  /// What is added to the diagonal, as a share of its mean over the columns that are not dead.
  double damp = 0.01;
  ColumnOrder order = ColumnOrder::LeftToRight;
  /// The columns of a block, for FallingBlocks: that of the format, 0 for the whole row.
  int64_t block = 0;
};

/// How it went, for the report.
struct HessianReport {
  /// The share that was added in the end: the least of options.damp, + 0.01, + 0.02 .. with which the Cholesky
  /// factorization held.
  double damp = 0;
  /// The condition number of the damped Hessian, estimated from below by power iteration.
  double condition = 0;
  /// Columns with H_jj = 0: no sample ever had a value there. In ascending order.
  std::vector<int64_t> deadColumns;
};

/// U with (P (H + damping) P^T)^-1 = U^T U, upper triangular, P the order of the columns [Frantar et al. 2022,
/// sec. 3.3, step 3]. It lives in the upper triangle of the Hessian's own memory, which must outlive it; the lower
/// triangle and the diagonal keep H as it was. So a second factor of the same Hessian destroys the first.
class HessianFactor {
public:
  /// \param hessian [columns, columns] f64: 2/n X^T X over the calibration samples in the lower triangle, diagonal
  /// included; the upper triangle is scratch. A dead column counts as H_jj = 1.
  /// \returns an error naming row and column of a value that is NaN or infinite, the column of a negative H_jj, or the
  /// column at which even a damping of 1 does not make the Hessian positive definite.
  static Expected<HessianFactor> compute(matrix::MatrixView<double> hessian, const HessianOptions &options,
                                         const matrix::ParallelFor &parallelFor);

  int64_t columns() const { return square.columns; }
  /// The columns in the order in which they are rounded: row and column i of U belong to column order()[i].
  std::span<const int64_t> order() const { return columnOrder; }
  /// H: only the lower triangle and the diagonal.
  matrix::MatrixView<const double> hessian() const { return square; }
  /// U without its diagonal: only the part above it.
  matrix::MatrixView<const double> aboveDiagonal() const { return square; }
  /// U_ii, in the order of rounding.
  std::span<const double> diagonal() const { return factorDiagonal; }
  const HessianReport &report() const { return facts; }

private:
  matrix::MatrixView<double> square;
  std::vector<int64_t> columnOrder;
  std::vector<double> factorDiagonal;
  HessianReport facts;
};

} // namespace halftone::quantize
