// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The floating point types that weights and scales are stored in, and their conversions to and from f32, bit exact and
// rounding to nearest, ties to even: the same on every machine, whatever its instructions.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace halftone::formats {

/// IEEE binary32, IEEE binary16, and bfloat16 (the upper half of binary32).
enum class Scalar : uint8_t { F32, F16, BF16 };

/// Every scalar type, for loops and for printing what is allowed.
inline constexpr Scalar allScalars[] = {Scalar::F32, Scalar::F16, Scalar::BF16};

constexpr std::string_view scalarName(Scalar scalar) {
  return scalar == Scalar::F32 ? "f32" : scalar == Scalar::F16 ? "f16" : "bf16";
}

constexpr int scalarBits(Scalar scalar) { return scalar == Scalar::F32 ? 32 : 16; }
constexpr int64_t scalarBytes(Scalar scalar) { return scalarBits(scalar) / 8; }

/// The largest finite value: 65504 for f16, (2 - 2^-7) * 2^127 for bf16.
constexpr float maxFinite(Scalar scalar) {
  return scalar == Scalar::F32 ? 0x1.fffffep127f : scalar == Scalar::F16 ? 65504.0f : 0x1.fep127f;
}

/// Rounds to f16. Magnitudes from 65520 on become infinity; a NaN stays a (quiet) NaN.
constexpr uint16_t toF16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = bits >> 16 & 0x8000;
  const uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000)
    return static_cast<uint16_t>(sign | 0x7e00 | (magnitude >> 13 & 0x3ff));
  if (magnitude >= 0x477ff000)
    return static_cast<uint16_t>(sign | 0x7c00);
  // Below 2^-14 f16 steps by 2^-24, which is the step of f32 at 0.5: the addition does the rounding.
  if (magnitude < 0x38800000)
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000));
  const uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return static_cast<uint16_t>(sign | (rounded - 0x38000000) >> 13);
}

/// Exact: every f16 is an f32.
constexpr float fromF16(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t exponent = half >> 10 & 0x1f;
  const uint32_t fraction = half & 0x3ff;
  if (exponent == 0x1f)
    return std::bit_cast<float>(sign | 0x7f800000 | fraction << 13);
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
  }
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
}

/// Rounds to bf16. Magnitudes that round beyond maxFinite become infinity; a NaN stays a (quiet) NaN.
constexpr uint16_t toBf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000)
    return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/// Exact: every bf16 is an f32.
constexpr float fromBf16(uint16_t value) { return std::bit_cast<float>(static_cast<uint32_t>(value) << 16); }

/// The value that reading back `value` stored as `scalar` gives.
constexpr float roundTo(Scalar scalar, float value) {
  return scalar == Scalar::F32 ? value : scalar == Scalar::F16 ? fromF16(toF16(value)) : fromBf16(toBf16(value));
}

/// As roundTo, but a finite value stays finite: what is too large becomes the largest finite value of its sign.
constexpr float saturateTo(Scalar scalar, float value) {
  const float limit = maxFinite(scalar);
  return roundTo(scalar, value > limit ? limit : value < -limit ? -limit : value);
}

/// Writes `value`, rounded, as scalarBytes(scalar) little-endian bytes.
inline void storeScalar(Scalar scalar, float value, std::byte *to) {
  if (scalar == Scalar::F32) {
    std::memcpy(to, &value, sizeof value);
    return;
  }
  const uint16_t bits = scalar == Scalar::F16 ? toF16(value) : toBf16(value);
  std::memcpy(to, &bits, sizeof bits);
}

/// Reads scalarBytes(scalar) little-endian bytes.
inline float loadScalar(Scalar scalar, const std::byte *from) {
  if (scalar == Scalar::F32) {
    float value;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, from, sizeof bits);
  return scalar == Scalar::F16 ? fromF16(bits) : fromBf16(bits);
}

static_assert(std::endian::native == std::endian::little, "stored scalars are little endian");

} // namespace halftone::formats
