// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The loop over rows is lib/quantize's; here are the chunks.
#include "passes/quantize/RoundRows.h"

#include "lib/formats/Packing.h"

using namespace halftone;
using namespace halftone::quantize;
using namespace halftone::lowbit;

/// Quantizes the rows of `chunk` into `bytes`, one storage row after the other.
static Expected<RowStatistics> round(const formats::Format &format, int64_t columns, const RowChunk &chunk,
                                     std::vector<std::byte> &bytes) {
  auto source = [&](int64_t row, std::span<float> values) -> Status {
    std::ranges::copy(chunk.row(row), values.begin());
    return {};
  };
  auto sink = [&](int64_t, std::span<const std::byte> row) -> Status {
    bytes.insert(bytes.end(), row.begin(), row.end());
    return {};
  };
  return roundToNearest(format, {chunk.first(), chunk.last()}, columns, source, sink);
}

Expected<RowStatistics> quantize::roundRows(mlir::MLIRContext *context, const formats::StoredMatrix &matrix,
                                            const formats::Format &format, const std::string &where,
                                            StoredRowSink write) {
  const int64_t columns = matrix.shape().columns;
  std::vector<RowStatistics> statistics(chunkCount(matrix));
  const Status done = streamRows(context, matrix, [&](int64_t index, RowChunk &chunk) -> Status {
    std::vector<std::byte> bytes;
    bytes.reserve((chunk.last() - chunk.first()) * formats::rowBytes(format, columns));
    Expected<RowStatistics> lost = round(format, columns, chunk, bytes);
    if (!lost)
      return Error{where + ", " + lost.error().message};
    statistics[index] = *lost;
    return write(chunk.first(), bytes);
  });
  if (!done)
    return done.error();
  RowStatistics all;
  for (const RowStatistics &part : statistics)
    all.add(part);
  return all;
}
