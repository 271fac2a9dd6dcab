// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The rows of a plain weight, some at a time, on several threads.
#pragma once

#include "dialects/lowbit/StoredWeights.h"

namespace halftone::lowbit {

/// Consecutive rows of a matrix.
class RowChunk {
public:
  RowChunk(const formats::StoredMatrix &matrix, int64_t first, int64_t count);

  int64_t first() const { return start; }
  int64_t last() const { return start + static_cast<int64_t>(rows.size()); }
  /// Row `row` of the matrix, f32; first() <= row < last().
  std::span<float> row(int64_t row) const { return rows[row - start].values; }
  /// All values, row after row.
  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(values)); }

private:
  int64_t start;
  std::vector<float> values;
  std::vector<formats::EncodedRow> rows;
};

/// How many chunks a matrix has: the same on every machine.
int64_t chunkCount(const formats::StoredMatrix &matrix);

/// Calls `visit` with each chunk of rows first .. first + count - 1 of a plain matrix and its number, on the threads of
/// `context`; memory holds one chunk a thread. \returns the error of the lowest chunk that has one, after which no
/// further ones are started.
Status streamRows(mlir::MLIRContext *context, const formats::StoredMatrix &matrix, int64_t first, int64_t count,
                  llvm::function_ref<Status(int64_t index, RowChunk &chunk)> visit);

/// The same for all rows.
Status streamRows(mlir::MLIRContext *context, const formats::StoredMatrix &matrix,
                  llvm::function_ref<Status(int64_t index, RowChunk &chunk)> visit);

/// All values of a plain matrix as f32, row after row.
Expected<std::vector<float>> readAll(StoredWeights &source, WeightOp weight);

} // namespace halftone::lowbit
