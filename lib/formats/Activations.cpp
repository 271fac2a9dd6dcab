// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Quantization of activations to int8.
#include "lib/formats/Activations.h"
#include "lib/formats/Format.h"
#include "lib/formats/Rounding.h"

#include <cassert>

namespace halftone::formats {

void quantizeActivations(std::span<const float> row, int64_t block, std::span<int8_t> codes, std::span<float> scales,
                         std::span<int32_t> sums) {
  const Format format = Format::integer(8, block, Scalar::F32);
  const size_t blocks = format.blockCount(static_cast<int64_t>(row.size()));
  assert(codes.size() == row.size() && scales.size() == blocks && sums.size() == blocks);
  for (size_t b = 0; b < blocks; ++b) {
    const size_t start = format.blockStart(b), length = format.blockLength(row.size(), b);
    const Extent extent = extentOf(row.subspan(start, length));
    const float scale = extent.largestMagnitude() / 127;
    int32_t sum = 0;
    for (size_t i = start; i < start + length; ++i) {
      const int32_t code = scale == 0 ? 0 : roundWithin(row[i] / scale, -127, 127);
      codes[i] = static_cast<int8_t>(code);
      sum += code;
    }
    scales[b] = scale;
    sums[b] = sum;
  }
}

} // namespace halftone::formats
