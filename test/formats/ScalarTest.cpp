// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Conversions between f32 and the stored types, over every code of 16 bits.
#include "lib/formats/Scalar.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace halftone::formats;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// A 16-bit type and its definition: value = (-1)^sign * fraction * 2^exponent, written independently of Scalar.h.
struct Narrow {
  Scalar scalar;
  int fractionBits;
  uint16_t infinityCode;

  double value(uint16_t code) const {
    const int magnitude = code & 0x7fff;
    const int exponent = magnitude >> fractionBits, fraction = magnitude & ((1 << fractionBits) - 1);
    const int bias = (1 << (14 - fractionBits)) - 1;
    const double value = exponent == 0 ? std::ldexp(fraction, 1 - bias - fractionBits)
                                       : std::ldexp(fraction + (1 << fractionBits), exponent - bias - fractionBits);
    return code & 0x8000 ? -value : value;
  }
  uint16_t encode(float value) const { return scalar == Scalar::F16 ? toF16(value) : toBf16(value); }
  float decode(uint16_t code) const { return scalar == Scalar::F16 ? fromF16(code) : fromBf16(code); }
};

class NarrowTest : public testing::TestWithParam<Narrow> {};

TEST_P(NarrowTest, EveryCodeDecodesToItsDefinitionAndBack) {
  const Narrow type = GetParam();
  for (uint32_t code = 0; code < 65536; ++code) {
    const uint16_t magnitude = code & 0x7fff;
    const float value = type.decode(code);
    ASSERT_EQ(std::signbit(value), code >= 0x8000) << code;
    if (magnitude > type.infinityCode) {
      ASSERT_TRUE(std::isnan(value)) << code;
      const uint16_t quiet = 1 << (type.fractionBits - 1);
      ASSERT_EQ(type.encode(value), code | quiet);
      continue;
    }
    ASSERT_EQ(value, magnitude == type.infinityCode ? std::copysign(infinity, value) : type.value(code)) << code;
    ASSERT_EQ(type.encode(value), code);
  }
}

TEST_P(NarrowTest, BetweenNeighboursRoundsToNearestTiesToEven) {
  const Narrow type = GetParam();
  for (uint16_t below = 0; below < type.infinityCode; ++below) {
    // Half way to the next code; for the largest finite one to where it would be: exact in f32, whose fraction is
    // longer.
    const uint16_t above = below + 1;
    const double step =
        above == type.infinityCode ? type.value(below) - type.value(below - 1) : type.value(above) - type.value(below);
    const float middle = static_cast<float>(type.value(below) + step / 2);
    const uint16_t even = below % 2 == 0 ? below : above;
    for (uint16_t sign : {0, 0x8000}) {
      const float signedMiddle = sign ? -middle : middle;
      ASSERT_EQ(type.encode(signedMiddle), even | sign) << below;
      ASSERT_EQ(type.encode(std::nextafter(signedMiddle, 0.0f)), below | sign) << below;
      ASSERT_EQ(type.encode(std::nextafter(signedMiddle, sign ? -infinity : infinity)), above | sign) << below;
    }
  }
}

TEST_P(NarrowTest, SaturatesAtTheLargestFiniteValue) {
  const Narrow type = GetParam();
  const float largest = maxFinite(type.scalar);
  EXPECT_EQ(type.encode(largest), type.infinityCode - 1);
  EXPECT_EQ(saturateTo(type.scalar, std::numeric_limits<float>::max()), largest);
  EXPECT_EQ(saturateTo(type.scalar, -std::numeric_limits<float>::max()), -largest);
  EXPECT_EQ(roundTo(type.scalar, std::numeric_limits<float>::max()), infinity);
}

INSTANTIATE_TEST_SUITE_P(Scalars, NarrowTest,
                         testing::Values(Narrow{Scalar::F16, 10, 0x7c00}, Narrow{Scalar::BF16, 7, 0x7f80}),
                         [](const auto &info) { return std::string(scalarName(info.param.scalar)); });

TEST(Scalar, StoresAndLoadsEveryType) {
  for (Scalar scalar : allScalars)
    for (float value : {0.0f, -1.5f, 3.14159274f, 1e-6f, -65504.0f}) {
      std::byte bytes[5] = {std::byte(), std::byte(), std::byte(0xaa), std::byte(0xaa), std::byte(0xaa)};
      storeScalar(scalar, value, bytes);
      EXPECT_EQ(loadScalar(scalar, bytes), roundTo(scalar, value));
      EXPECT_EQ(bytes[scalarBytes(scalar)], std::byte(0xaa));
    }
}

static_assert(toF16(1.0f) == 0x3c00 && toBf16(1.0f) == 0x3f80);
static_assert(toF16(65519.996f) == 0x7bff && toF16(65520.0f) == 0x7c00);

} // namespace
