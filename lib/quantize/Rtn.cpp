// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The loop over rows: read, encode, measure, pack, write.
#include "lib/quantize/Rtn.h"
#include "lib/formats/Codec.h"
#include "lib/formats/Packing.h"

#include <algorithm>
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

/// How many blocks of `weights` are not zero but have the scale 0.
static int64_t countVanished(const formats::Format &format, std::span<const float> weights,
                             std::span<const float> scales) {
  int64_t count = 0;
  const auto columns = static_cast<int64_t>(weights.size());
  for (size_t b = 0; b < scales.size(); ++b) {
    auto block = weights.subspan(format.blockStart(b), format.blockLength(columns, b));
    count += scales[b] == 0 && std::ranges::any_of(block, [](float weight) { return weight != 0; });
  }
  return count;
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
    total.vanishedBlocks += countVanished(format, weights, encoded.view().scales);
    formats::packRow(format, columns, encoded.view(), bytes);
    if (Status written = sink(row, bytes); !written)
      return written.error();
  }
  return total;
}

} // namespace halftone::quantize
