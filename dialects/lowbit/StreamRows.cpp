// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Chunks of rows and the threads that take them.
#include "dialects/lowbit/StreamRows.h"

#include "mlir/IR/Threading.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

/// Rows of a chunk: enough that a transposed matrix, whose rows lie side by side in the file, is read in whole lines.
static constexpr int64_t chunkRows = 64;

static int64_t chunksOf(int64_t rows) { return (rows + chunkRows - 1) / chunkRows; }

int64_t lowbit::chunkCount(const formats::StoredMatrix &matrix) { return chunksOf(matrix.shape().rows); }

RowChunk::RowChunk(const formats::StoredMatrix &matrix, int64_t first, int64_t count)
    : start(first), values(count * matrix.shape().columns), rows(count) {
  for (int64_t i = 0; i < count; ++i)
    rows[i].values = std::span(values).subspan(i * matrix.shape().columns, matrix.shape().columns);
  matrix.readRows(first, rows);
  matrix.release(first, count);
}

Status lowbit::streamRows(MLIRContext *context, const formats::StoredMatrix &matrix, int64_t first, int64_t count,
                          function_ref<Status(int64_t index, RowChunk &chunk)> visit) {
  const int64_t chunks = chunksOf(count);
  std::vector<Status> results(chunks);
  // Chunks are started in order, so all below a failing one are finished too: the first error is always the same.
  (void)failableParallelForEachN(context, 0, chunks, [&](int64_t index) {
    const int64_t start = index * chunkRows;
    RowChunk chunk(matrix, first + start, std::min(chunkRows, count - start));
    results[index] = visit(index, chunk);
    return success(static_cast<bool>(results[index]));
  });
  for (Status &result : results)
    if (!result)
      return std::move(result);
  return {};
}

Status lowbit::streamRows(MLIRContext *context, const formats::StoredMatrix &matrix,
                          function_ref<Status(int64_t index, RowChunk &chunk)> visit) {
  return streamRows(context, matrix, 0, matrix.shape().rows, visit);
}

Expected<std::vector<float>> lowbit::readAll(StoredWeights &source, WeightOp weight) {
  const Expected<formats::StoredMatrix> matrix = source.open(weight);
  if (!matrix)
    return matrix.error();
  const int64_t columns = matrix->shape().columns;
  std::vector<float> values(matrix->shape().rows * columns);
  Status status = streamRows(weight.getContext(), *matrix, [&](int64_t, RowChunk &chunk) -> Status {
    for (int64_t row = chunk.first(); row < chunk.last(); ++row)
      std::ranges::copy(chunk.row(row), values.begin() + row * columns);
    return {};
  });
  source.release(weight);
  if (!status)
    return status.error();
  return values;
}
