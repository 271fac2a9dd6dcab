// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The grid that fits codes already chosen.
#pragma once

#include "lib/formats/Grid.h"

#include <span>

namespace halftone::quantize {

/// The grid under which `codes` decode to values nearest to `targets` by weighted least squares: the sum of
/// importance * (target - value)^2 is least over all real scales and, where blocks store one, zeros; then both are
/// rounded as they are stored, the zero first.
/// \returns `grid` when the codes leave no choice, all of them 0 say.
formats::Grid fitGrid(const formats::GridCodec &codec, const formats::Grid &grid, std::span<const uint8_t> codes,
                      std::span<const float> targets, std::span<const float> importance);

} // namespace halftone::quantize
