// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Round-to-nearest encoder and decoder of one row, for every format.
#pragma once

#include "lib/formats/EncodedRow.h"
#include "lib/formats/Format.h"

#include <span>

namespace halftone::formats {

/// An error naming the first column that is NaN or infinite, when there is one.
Status checkFinite(std::span<const float> row);

/// Encodes a row, block by block.
///   symmetric      scale = m / -2^(b-1), m the value of largest magnitude with its sign, of two the first;
///                  value = (code - 2^(b-1)) * scale. 8 bits: scale = absmax / 127, signed codes -127..127
///   zero point     lo = min(w, 0), hi = max(w, 0), scale = (hi - lo) / (2^b - 1), zero = round(-lo / scale), 0..2^b-1
///                  value = (code - zero) * scale
///   codebook       scale = absmax / the largest magnitude of a level; where no level mirrors that one, the value of
///                  largest magnitude with its sign / that level; the nearest level; value = levels[code] * step,
///                  step = unit * scale
///   plain          the value rounded to the element type
/// Scales are f32 arithmetic rounded to their stored type before any code is chosen; codes are round(w / scale), ties
/// to even. A scale that rounds to 0 makes a zero block: every code decodes to 0. A scale or a plain value beyond the
/// largest finite value of its type becomes that value. Weights above half of f32's largest may decode to infinity.
/// \param row any length; \param out spans of the lengths that RowBuffer gives.
/// \returns the error of checkFinite; `out` is then unspecified.
Status encodeRow(const Format &format, std::span<const float> row, EncodedRow out);

/// Decodes a row: one f32 rounding a weight, of the exact product.
void decodeRow(const Format &format, EncodedRowView row, std::span<float> out);

} // namespace halftone::formats
