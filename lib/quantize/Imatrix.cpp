// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A search for each block.
#include "lib/quantize/Imatrix.h"

namespace halftone::quantize {

Expected<GptqResult> imatrix(const formats::Format &format, matrix::MatrixView<const float> weights,
                             std::span<const float> importance, const GridSearchOptions &options,
                             const matrix::ParallelFor &parallelFor) {
  if (format.isPlain())
    return Error{"imatrix rounds to codes, and '" + formats::name(format) + "' stores values"};
  const formats::GridCodec codec(format);
  const auto search = [&](std::span<const float> block, int64_t first) {
    return searchGrid(codec, block, importance.subspan(first, block.size()), options);
  };
  return roundOnGrids(codec, weights, importance, search, parallelFor);
}

} // namespace halftone::quantize
