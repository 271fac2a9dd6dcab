// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The two inner loops of every encoder: the range of a block, and rounding into it. Written so that compilers turn them
// into vector code without being allowed to reorder floating point arithmetic.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace halftone::formats {

/// The range of a block, stretched to hold 0: lowest <= 0 <= highest. When a value is NaN, one end is NaN.
struct Extent {
  float lowest = 0;
  float highest = 0;

  /// NaN when a value is: among magnitudes, which integers order too, NaN is the largest.
  float largestMagnitude() const {
    const uint32_t up = std::bit_cast<uint32_t>(highest), down = std::bit_cast<uint32_t>(lowest) & 0x7fffffff;
    return std::bit_cast<float>(up > down ? up : down);
  }
  bool isFinite() const { return highest - highest == 0 && lowest - lowest == 0; }
};

/// The bits of a float, turned so that signed integers order them as their values; NaNs come last on their sign's side.
/// Its own inverse. Integer minima may be taken in any order, float ones not, for fear of NaN.
constexpr int32_t orderedBits(int32_t bits) { return bits ^ (bits >> 31 & 0x7fffffff); }

inline Extent extentOf(std::span<const float> values) {
  int32_t lowest = 0, highest = 0;
  for (float value : values) {
    const int32_t bits = orderedBits(std::bit_cast<int32_t>(value));
    lowest = bits < lowest ? bits : lowest;
    highest = bits > highest ? bits : highest;
  }
  return {std::bit_cast<float>(orderedBits(lowest)), std::bit_cast<float>(orderedBits(highest))};
}

/// 1.5 * 2^23: added to a number of less than 2^22, it leaves no room for a fraction. The addition rounds to the
/// nearest integer, ties to even, as IEEE 754 says, without a call to libm and on every processor.
inline constexpr float noFraction = 0x1.8p23f;

/// Rounds to the nearest integer, ties to even, within [lowest, highest], integers of less than 2^22; NaN gives lowest.
inline int32_t roundWithin(float value, float lowest, float highest) {
  const float above = value > lowest ? value : lowest;
  const float inside = above < highest ? above : highest;
  return static_cast<int32_t>((inside + noFraction) - noFraction);
}

} // namespace halftone::formats
