// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The loop over rows: read, encode, measure, pack, write.
#include "lib/quantize/Rtn.h"
#include "lib/formats/Codec.h"
#include "lib/formats/Packing.h"

#include <vector>

namespace halftone::quantize {

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
    total.add(measureRow(format, weights, decoded, encoded.view().scales));
    formats::packRow(format, columns, encoded.view(), bytes);
    if (Status written = sink(row, bytes); !written)
      return written.error();
  }
  return total;
}

} // namespace halftone::quantize
