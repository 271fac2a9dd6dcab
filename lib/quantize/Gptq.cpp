// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The algorithm on one panel of rows at a time. Inside a batch of columns, rows are worked on one by one; what a batch
// leaves to the columns after it is a matrix product.
#include "lib/quantize/Gptq.h"
#include "lib/formats/Codec.h"
#include "lib/matrix/Gram.h"
#include "lib/matrix/Product.h"
#include "lib/matrix/Tiles.h"
#include "lib/quantize/Batches.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

namespace halftone::quantize {

using formats::Format;
using formats::Grid;
using matrix::MatrixView;

/// Rows worked on together, rows of a piece of work, columns of a batch, and columns of a piece of the product.
static constexpr int64_t panelRows = 1024, pieceRows = 16, batchColumns = 128, pieceColumns = 256;

namespace {

/// Memory of a matrix, not initialized.
template <class T> class Buffer {
public:
  Buffer(int64_t rows, int64_t columns) : memory(std::make_unique_for_overwrite<T[]>(rows * columns)) {}
  /// Its first elements as a matrix.
  MatrixView<T> as(int64_t rows, int64_t columns) const { return {memory.get(), rows, columns}; }

private:
  std::unique_ptr<T[]> memory;
};

class Gptq {
public:
  Gptq(const Format &format, MatrixView<const float> weights, const HessianFactor &factor, const GptqOptions &options,
       const matrix::ParallelFor &parallelFor);

  Expected<GptqResult> run();

private:
  /// Some columns in the order of rounding.
  struct Batch {
    int64_t first, count;
  };

  void load(int64_t row);
  void makeGrid(int64_t row, int64_t block);
  void roundBatch(const Batch &batch, int64_t row);
  void spreadErrors(const Batch &batch, int64_t piece);
  RowStatistics leaveError(int64_t row);
  Status quantizePanel();

  int64_t columns() const { return weights.columns; }
  std::span<const float> originalRow(int64_t row) const { return weights.row(panelStart + row); }

  const formats::GridCodec codec;
  const MatrixView<const float> weights;
  const HessianFactor &factor;
  const GptqOptions &options;
  const matrix::ParallelFor &parallelFor;
  const int64_t blockColumns;
  /// Where each column is in the order of rounding; its importance.
  const std::vector<int64_t> positions;
  const std::vector<float> importance;
  std::vector<bool> isDead;
  bool gridsAreFixed;
  /// Where batches end.
  std::vector<int64_t> batches;

  /// The panel: its rows, columns in the order of rounding; rounded ones hold what they decode to. And the errors of
  /// the batch, divided by U_jj.
  int64_t panelStart = 0, rows = 0;
  Buffer<double> panelMemory, errorMemory;
  MatrixView<double> panel, errors;
  /// What the decoded rows are off by.
  Buffer<float> lossMemory;
  std::vector<char> hasGrown;

  GptqResult result;
};
} // namespace

/// What a column weighs when grids are searched.
static std::vector<float> importanceOf(const HessianFactor &factor) {
  std::vector<float> importance(factor.columns());
  for (int64_t i = 0; i < factor.columns(); ++i)
    importance[factor.order()[i]] = static_cast<float>(1 / (factor.diagonal()[i] * factor.diagonal()[i]));
  return importance;
}

static std::vector<int64_t> inverse(std::span<const int64_t> order) {
  std::vector<int64_t> positions(order.size());
  for (size_t i = 0; i < order.size(); ++i)
    positions[order[i]] = static_cast<int64_t>(i);
  return positions;
}

Gptq::Gptq(const Format &format, MatrixView<const float> weights, const HessianFactor &factor,
           const GptqOptions &options, const matrix::ParallelFor &parallelFor)
    : codec(format), weights(weights), factor(factor), options(options), parallelFor(parallelFor),
      blockColumns(format.block == 0 ? std::max<int64_t>(weights.columns, 1) : format.block),
      positions(inverse(factor.order())), importance(importanceOf(factor)), isDead(weights.columns),
      panelMemory(std::min(weights.rows, panelRows), weights.columns),
      errorMemory(std::min(weights.rows, panelRows), batchColumns),
      lossMemory(std::min(weights.rows, panelRows), weights.columns),
      result{formats::EncodedMatrix(format, weights.rows, weights.columns), {}} {
  for (int64_t column : factor.report().deadColumns)
    isDead[column] = true;
  const std::optional<std::vector<int64_t>> blocks = blockEnds(factor.order(), blockColumns);
  gridsAreFixed = options.staticGrids || !blocks;
  batches = batchEnds(gridsAreFixed ? std::vector{columns()} : *blocks, batchColumns);
}

/// A row of the panel, dead columns 0.
void Gptq::load(int64_t row) {
  for (int64_t i = 0; i < columns(); ++i) {
    const int64_t column = factor.order()[i];
    panel(row, i) = isDead[column] ? 0 : originalRow(row)[column];
  }
}

/// Makes the grid of a block from the weights of the panel as they are now.
void Gptq::makeGrid(int64_t row, int64_t block) {
  const Format &format = codec.format();
  const int64_t start = format.blockStart(block), length = format.blockLength(columns(), block);
  std::vector<float> values(length);
  for (int64_t i = 0; i < length; ++i)
    values[i] = static_cast<float>(panel(row, positions[start + i]));
  const formats::Extent extent = formats::extentOf(values);
  if (!extent.isFinite()) {
    hasGrown[row] = true;
    return;
  }
  const Grid grid = options.search
                        ? searchGrid(codec, values, std::span(importance).subspan(start, length), *options.search)
                        : codec.extremeGrid(values, extent);
  const formats::EncodedRow out = result.matrix.row(panelStart + row);
  out.scales[block] = grid.scale;
  if (format.zeroPoint)
    out.zeros[block] = grid.zero;
}

/// Algorithm 1's inner loop on one row: q = quant(w), err = (w - q) / U_jj, w[j + 1 ..] -= err * U[j, j + 1 ..].
void Gptq::roundBatch(const Batch &batch, int64_t row) {
  const Format &format = codec.format();
  const std::span<const int64_t> order = factor.order();
  const formats::EncodedRow out = result.matrix.row(panelStart + row);
  const std::span<double> values = panel.row(row).subspan(batch.first, batch.count);
  for (int64_t i = 0; i < batch.count; ++i) {
    const int64_t position = batch.first + i, column = order[position], block = column / blockColumns;
    if (!gridsAreFixed && (position == 0 || block != order[position - 1] / blockColumns))
      makeGrid(row, block);
    const Grid grid{out.scales[block], format.zeroPoint ? out.zeros[block] : uint8_t(0)};
    const double value = values[i];
    const float rounded = static_cast<float>(value);
    if (!std::isfinite(rounded))
      hasGrown[row] = true;
    out.codes[column] = codec.encode(grid, rounded);
    values[i] = codec.decode(grid, out.codes[column]);
    const double error = (value - values[i]) / factor.diagonal()[position];
    errors(row, i) = error;
    const std::span<const double> spread = factor.aboveDiagonal().row(position).subspan(batch.first, batch.count);
    for (int64_t j = i + 1; j < batch.count; ++j)
      values[j] -= error * spread[j];
  }
}

/// The lazy update of the columns after a batch, one piece of them: W -= errors * U.
void Gptq::spreadErrors(const Batch &batch, int64_t piece) {
  const int64_t start = batch.first + batch.count + piece * pieceColumns;
  const int64_t width = std::min(pieceColumns, columns() - start);
  matrix::addProduct(panel.block(0, start, rows, width), -1, errors.block(0, 0, rows, batch.count),
                     factor.aboveDiagonal().block(batch.first, start, batch.count, width));
}

/// Leaves decoded - original of a row, in the order of the columns.
RowStatistics Gptq::leaveError(int64_t row) {
  std::vector<float> decoded(columns());
  for (int64_t i = 0; i < columns(); ++i)
    decoded[factor.order()[i]] = static_cast<float>(panel(row, i));
  const std::span<const float> original = originalRow(row);
  std::ranges::transform(decoded, original, lossMemory.as(rows, columns()).row(row).begin(), std::minus());
  return measureRow(codec.format(), original, decoded, result.matrix.row(panelStart + row).scales);
}

/// Calls body for each row, some rows a piece of work.
template <class Body> static void forRows(int64_t rows, const matrix::ParallelFor &parallelFor, Body body) {
  const matrix::Tiles pieces{rows, pieceRows};
  parallelFor(pieces.count(), [&](int64_t piece) {
    for (int64_t row = pieces.start(piece); row < pieces.start(piece + 1); ++row)
      body(row);
  });
}

Status Gptq::quantizePanel() {
  panel = panelMemory.as(rows, columns());
  errors = errorMemory.as(rows, batchColumns);
  hasGrown.assign(rows, false);
  forRows(rows, parallelFor, [&](int64_t row) {
    load(row);
    for (int64_t block = 0; gridsAreFixed && block < codec.format().blockCount(columns()); ++block)
      makeGrid(row, block);
  });
  for (int64_t first = 0; int64_t end : batches) {
    const Batch batch{first, end - first};
    forRows(rows, parallelFor, [&](int64_t row) { roundBatch(batch, row); });
    const matrix::Tiles rest{columns() - end, pieceColumns};
    parallelFor(rest.count(), [&](int64_t piece) { spreadErrors(batch, piece); });
    first = end;
  }
  if (const auto grown = std::ranges::find(hasGrown, char(true)); grown != hasGrown.end())
    return Error{"row " + std::to_string(panelStart + (grown - hasGrown.begin())) +
                 " grew beyond f32 while it made up for errors: the Hessian needs more damping"};
  std::vector<RowStatistics> statistics(rows);
  forRows(rows, parallelFor, [&](int64_t row) { statistics[row] = leaveError(row); });
  GptqLoss loss;
  loss.outputError = matrix::weightedNorm(lossMemory.as(rows, columns()), factor.hessian(), parallelFor);
  loss.outputNorm = matrix::weightedNorm(weights.block(panelStart, 0, rows, columns()), factor.hessian(), parallelFor);
  for (const RowStatistics &row : statistics)
    loss.weights.add(row);
  result.loss.add(loss);
  return {};
}

Expected<GptqResult> Gptq::run() {
  for (; panelStart < weights.rows; panelStart += panelRows) {
    rows = std::min(panelRows, weights.rows - panelStart);
    if (Status status = quantizePanel(); !status)
      return status.error();
  }
  result.hessian = factor.report();
  return std::move(result);
}

/// Names the first weight that is not finite.
static Status checkRows(MatrixView<const float> weights, const matrix::ParallelFor &parallelFor) {
  std::vector<Status> statuses(weights.rows);
  forRows(weights.rows, parallelFor, [&](int64_t row) { statuses[row] = formats::checkFinite(weights.row(row)); });
  for (int64_t row = 0; row < weights.rows; ++row)
    if (!statuses[row])
      return Error{"row " + std::to_string(row) + ", " + statuses[row].error().message};
  return {};
}

Expected<GptqResult> gptq(const Format &format, MatrixView<const float> weights, const HessianFactor &factor,
                          const GptqOptions &options, const matrix::ParallelFor &parallelFor) {
  if (format.isPlain())
    return Error{"gptq rounds to codes, and '" + formats::name(format) + "' stores values"};
  if (weights.columns != factor.columns())
    return Error{"the weights have " + std::to_string(weights.columns) + " columns, their Hessian has " +
                 std::to_string(factor.columns())};
  if (Status status = checkRows(weights, parallelFor); !status)
    return status.error();
  return Gptq(format, weights, factor, options, parallelFor).run();
}

} // namespace halftone::quantize
