// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// GPTQ: rounds a matrix column by column, and lets the columns not yet rounded make up for each column's error.
#pragma once

#include "lib/formats/EncodedMatrix.h"
#include "lib/quantize/GridSearch.h"
#include "lib/quantize/HessianFactor.h"
#include "lib/quantize/RowStatistics.h"

#include <optional>

namespace halftone::quantize {

struct GptqOptions {
  /// Searches each block's grid, a column's importance being 1 / U_jj^2: the sum of ((w - decoded) / U_jj)^2, with each
  /// weight as it is when it is rounded, is what GPTQ loses of the outputs. Without, the grid is that of the extremes.
  std::optional<GridSearchOptions> search = std::nullopt;
  /// Fixes the grids of all blocks beforehand, on the weights as they came; otherwise a block's grid is made when its
  /// first column is reached, on the weights as they are then. An order that tears blocks apart always fixes them, so
  /// that no index is needed at run time.
  bool staticGrids = false;
};

/// What was lost. Sums, so that the parts of a matrix can be added up.
struct GptqLoss {
  /// Of the weights.
  RowStatistics weights;
  /// tr(dW H dW^T) and tr(W H W^T): the same of the outputs over the calibration samples, times 2 / their number.
  double outputError = 0;
  double outputNorm = 0;

  void add(const GptqLoss &other) {
    weights.add(other.weights);
    outputError += other.outputError;
    outputNorm += other.outputNorm;
  }
};

struct GptqResult {
  /// Rows ready for formats::packRow.
  formats::EncodedMatrix matrix;
  GptqLoss loss;
  /// How the factorization went; its condition is 0 where there was none.
  HessianReport hessian = {};
};

/// Quantizes the weights of one linear layer [Frantar et al. 2022, algorithm 1], 1024 rows at a time, of which it holds
/// one copy. Rows do not depend on each other: a matrix may be given in parts, and the bytes are the same when these
/// are multiples of 1024 rows. U, weights, their errors and the products that update them, 128 columns at a time, are
/// f64; a weight is rounded to f32 when its grid is made and when it is encoded. A dead column's weights become 0
/// first.
/// \param format any with codes; \param weights [rows, columns] f32, row major; columns those of the factor.
/// \returns an error naming row and column of a weight that is NaN or infinite, the row whose weights grew beyond f32
/// while they made up for errors, or the format when it has no codes.
Expected<GptqResult> gptq(const formats::Format &format, matrix::MatrixView<const float> weights,
                          const HessianFactor &factor, const GptqOptions &options,
                          const matrix::ParallelFor &parallelFor);

} // namespace halftone::quantize
