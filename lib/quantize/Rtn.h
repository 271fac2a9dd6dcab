// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Round to nearest: quantizes a matrix row by row, without ever holding more than one row.
#pragma once

#include "lib/formats/Format.h"
#include "lib/quantize/RowStatistics.h"

#include <cstddef>
#include <functional>
#include <span>

namespace halftone::quantize {

/// Fills `values` with row `row`, f32.
using RowSource = std::function<Status(int64_t row, std::span<float> values)>;
/// Takes the storage row (lib/formats/Packing.h) of row `row`; the bytes are valid during the call.
using RowSink = std::function<Status(int64_t row, std::span<const std::byte> bytes)>;

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
