// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The loop over rows: read, encode, measure, pack, write.
#include "lib/quantize/Rtn.h"
#include "lib/formats/Codec.h"
#include "lib/formats/Packing.h"

#include <vector>

namespace halftone::quantize {

static RowStatistics measure(std::span<const float> weights, std::span<const float> decoded) {
  RowStatistics statistics;
  for (size_t i = 0; i < weights.size(); ++i) {
    const double weight = weights[i], error = decoded[i] - weight;
    statistics.squaredError += error * error;
    statistics.squaredNorm += weight * weight;
  }
  return statistics;
}

Expected<RowStatistics> roundToNearest(const formats::Format &format, RowRange rows, int64_t columns,
                                       const RowSource &source, const RowSink &sink) {
  std::vector<float> weights(columns), decoded(columns);
  std::vector<std::byte> bytes(formats::rowBytes(format, columns));
  formats::RowBuffer encoded(format, columns);
  RowStatistics total;
  for (int64_t row = rows.first; row < rows.last; ++row) {
    if (Status read = source(row, weights); !read)
      return read.error();
    if (Status status = formats::encodeRow(format, weights, encoded.row()); !status)
      return Error{"row " + std::to_string(row) + ", " + status.error().message};
    formats::decodeRow(format, encoded.view(), decoded);
    total.add(measure(weights, decoded));
    formats::packRow(format, columns, encoded.view(), bytes);
    if (Status written = sink(row, bytes); !written)
      return written.error();
  }
  return total;
}

} // namespace halftone::quantize
