// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The activation contract: how a row of activations becomes int8 for an exact integer dot per block. The oracle and
// every kernel compute this function.
#pragma once

#include <cstdint>
#include <span>

namespace halftone::formats {

/// Quantizes a row of activations, block by block: scale = absmax / 127 in f32, code = round(x / scale), ties to even,
/// in -127..127. A block of zeros, or one so small that its scale underflows, has scale 0 and codes 0.
/// \param block columns that share a scale, 0 for the whole row; the last block may be short.
/// \param codes one a column; \param scales, \param sums one a block: the scale and the sum of the codes, which the
/// zero point of the weights is multiplied with. A NaN or an infinity makes the scale of its block NaN or infinite, so
/// that it shows in the result.
void quantizeActivations(std::span<const float> row, int64_t block, std::span<int8_t> codes, std::span<float> scales,
                         std::span<int32_t> sums);

} // namespace halftone::formats
