// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One value at a time on a grid. Rows on the grids of their extremes: CodecTest.
#include "lib/formats/Grid.h"
#include "lib/formats/EncodedRow.h"
#include "test/formats/AllFormats.h"

#include <cmath>
#include <gmock/gmock.h>
#include <limits>

using namespace halftone::formats;
using testing::ElementsAre;

namespace {

TEST(Grid, ScalesAreRoundedToTheirTypeAndNeverMinusZero) {
  const GridCodec codec(Format::integer(4, 32));
  EXPECT_EQ(codec.storedGrid(0.1f), (Grid{fromF16(toF16(0.1f)), 0}));
  EXPECT_EQ(std::bit_cast<uint32_t>(codec.storedGrid(-0x1p-30f).scale), 0u);
  EXPECT_EQ(codec.storedGrid(1e10f).scale, 65504);
  EXPECT_EQ(GridCodec(Format::integer(4, 32, Scalar::F16, true)).storedGrid(1, 7), (Grid{1, 7}));
}

TEST(Grid, ValuesOutsideTakeTheEnds) {
  const GridCodec signedCodes(Format::integer(3, 0)), shifted(Format::integer(3, 0, Scalar::F16, true));
  EXPECT_EQ(signedCodes.encode({2, 0}, 100), 7);
  EXPECT_EQ(signedCodes.encode({2, 0}, -100), 0);
  EXPECT_EQ(signedCodes.encode({-2, 0}, -100), 7);
  EXPECT_EQ(shifted.encode({2, 5}, 100), 7);
  EXPECT_EQ(shifted.decode({2, 5}, 7), 4);
  EXPECT_EQ(shifted.encode({2, 5}, -100), 0);
  EXPECT_EQ(GridCodec(Format::integer(8, 0)).encode({1, 0}, -1000), 1) << "balanced codes leave -128 out";
}

/// Every code of every format decodes to a value that encodes to a code of the same value, and blocks as values do.
TEST(Grid, DecodedValuesAreTheirOwnNearest) {
  for (const Format &format : allFormats({32})) {
    if (format.isPlain())
      continue;
    const GridCodec codec(format);
    for (const Grid &grid : {codec.storedGrid(0.25f, format.zeroPoint ? 2 : 0), codec.storedGrid(-0.25f), Grid{}}) {
      std::vector<uint8_t> codes, again(format.code.maxCode() + 1);
      for (int code = 0; code <= format.code.maxCode(); ++code)
        codes.push_back(static_cast<uint8_t>(code));
      std::vector<float> values(codes.size());
      codec.decode(grid, codes, values.data());
      codec.encode(grid, values, again.data());
      const bool leavesLowestOut = format.code.isBalanced() && !format.zeroPoint;
      for (size_t code = leavesLowestOut; code < codes.size(); ++code) {
        EXPECT_EQ(codec.decode(grid, static_cast<uint8_t>(code)), values[code]);
        EXPECT_EQ(codec.encode(grid, values[code]), again[code]);
        EXPECT_EQ(codec.decode(grid, again[code]), values[code]) << name(format) << " code " << code;
      }
    }
  }
}

/// Against the definition, in f64: the nearest level, of two equally near an even code. Values around every level and
/// every middle between two levels.
TEST(Grid, CodebooksTakeTheNearestLevel) {
  static constexpr int8_t crossed[] = {5, -5, 0, 5, 1, 1, -127, 2};
  static constexpr Codebook book = {"crossed", crossed};
  std::vector<Code> codes = {Code::levelsOf(book)};
  for (const Element &element : elements())
    if (element.code.kind == Code::Kind::Codebook)
      codes.push_back(element.code);
  for (const Code &code : codes) {
    const std::span<const int8_t> levels = code.codebook->levels;
    const Codebook ofIntegers = {code.codebook->name, levels};
    const GridCodec codec({.code = Code::levelsOf(ofIntegers), .block = 0});
    const auto check = [&](float value) {
      int best = 0;
      const auto distance = [&](int c) { return std::fabs(static_cast<double>(value) - levels[c]); };
      for (int c = 1; c <= code.maxCode(); ++c)
        if (distance(c) < distance(best) || (distance(c) == distance(best) && best % 2 == 1 && c % 2 == 0))
          best = c;
      ASSERT_EQ(codec.encode({1, 0}, value), best) << code.codebook->name << ' ' << value;
    };
    for (int twice = -260; twice <= 260; ++twice) {
      const float value = static_cast<float>(twice) / 2;
      for (float near : {value, std::nextafter(value, 1000.0f), std::nextafter(value, -1000.0f)})
        check(near);
    }
  }
}

TEST(Grid, OfExtremesHoldsThem) {
  // -3 .. 4.5 in 15 steps of .5, 0 at code 6.
  const GridCodec codec(Format::integer(4, 0, Scalar::F16, true));
  const std::vector<float> block = {-3, 4.5f, 1};
  EXPECT_EQ(codec.extremeGrid(block), (Grid{0.5f, 6}));
  EXPECT_EQ(GridCodec(Format::integer(4, 0)).extremeGrid(block), (Grid{-0.5625f, 0}));
}

} // namespace
