// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Round to nearest: quantizes a matrix row by row, without ever holding more than one row.
#pragma once

#include "lib/formats/Format.h"

#include <cstddef>
#include <functional>
#include <span>

namespace halftone::quantize {

/// Fills `values` with row `row`, f32.
using RowSource = std::function<Status(int64_t row, std::span<float> values)>;
/// Takes the storage row (lib/formats/Packing.h) of row `row`; the bytes are valid during the call.
using RowSink = std::function<Status(int64_t row, std::span<const std::byte> bytes)>;

/// What quantization lost, for the report.
struct RowStatistics {
  /// Sum of (decoded - w)^2 and of w^2 over all weights, in f64.
  double squaredError = 0;
  double squaredNorm = 0;
  /// Blocks that are not zero but got a scale of 0, below the smallest of its type: nothing of them is left.
  int64_t vanishedBlocks = 0;

  /// Adds one row after the others: sums have one order, so reports are equal for equal input.
  void add(const RowStatistics &other) {
    squaredError += other.squaredError;
    squaredNorm += other.squaredNorm;
    vanishedBlocks += other.vanishedBlocks;
  }
};

/// Rows first .. last - 1 of a matrix.
struct RowRange {
  int64_t first = 0;
  int64_t last = 0;
};

/// Quantizes `rows` of a matrix of `columns` columns; they are asked for and given back in order. Ranges of one matrix
/// may be quantized at the same time.
/// \returns the error of the source or the sink as it is, or one naming row and column of a weight that is NaN or
/// infinite.
Expected<RowStatistics> roundToNearest(const formats::Format &format, RowRange rows, int64_t columns,
                                       const RowSource &source, const RowSink &sink);

} // namespace halftone::quantize
