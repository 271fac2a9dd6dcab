// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Cutting an order of columns.
#include "lib/quantize/Batches.h"

namespace halftone::quantize {

std::optional<std::vector<int64_t>> blockEnds(std::span<const int64_t> order, int64_t blockColumns) {
  std::vector<int64_t> ends;
  std::vector<bool> isSeen((order.size() + blockColumns - 1) / blockColumns);
  for (size_t i = 0; i < order.size(); ++i) {
    const int64_t block = order[i] / blockColumns;
    if (i > 0 && block == order[i - 1] / blockColumns)
      continue;
    if (isSeen[block])
      return std::nullopt;
    isSeen[block] = true;
    if (i > 0)
      ends.push_back(static_cast<int64_t>(i));
  }
  ends.push_back(static_cast<int64_t>(order.size()));
  return ends;
}

std::vector<int64_t> batchEnds(std::span<const int64_t> blockEnds, int64_t most) {
  std::vector<int64_t> ends;
  int64_t batch = 0, block = 0; // where they start
  for (int64_t end : blockEnds) {
    if (end - batch > most && block > batch)
      ends.push_back(batch = block);
    while (end - batch > most)
      ends.push_back(batch += most);
    block = end;
  }
  ends.push_back(block);
  return ends;
}

} // namespace halftone::quantize
