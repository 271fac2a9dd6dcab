// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Round to nearest, row by row: bytes, statistics, and errors that say where.
#include "lib/quantize/Rtn.h"
#include "lib/formats/Codec.h"
#include "lib/formats/Packing.h"
#include "lib/quantize/VocabularyFormat.h"

#include <cmath>
#include <gmock/gmock.h>
#include <limits>
#include <vector>

using namespace halftone;
using namespace halftone::quantize;
using formats::Format;

namespace {

/// A matrix in memory, and the storage rows that came out.
struct Matrix {
  int64_t rows, columns;
  std::vector<float> weights;
  std::vector<std::vector<std::byte>> stored;

  RowSource source() {
    return [this](int64_t row, std::span<float> values) -> Status {
      std::copy_n(weights.begin() + row * columns, columns, values.begin());
      return {};
    };
  }
  RowSink sink() {
    return [this](int64_t row, std::span<const std::byte> bytes) -> Status {
      EXPECT_EQ(row, static_cast<int64_t>(stored.size()));
      stored.emplace_back(bytes.begin(), bytes.end());
      return {};
    };
  }
};

TEST(Rtn, StreamsRowsAndMeasuresWhatIsLost) {
  // Row 0 is exact at scale 1; of row 1, scale 1 too, 2.25 becomes 2 and 0.5 becomes 0.
  Matrix matrix{2, 3, {-8, 7, 1, -8, 2.25f, 0.5f}, {}};
  const Format format = Format::integer(4, 0);
  const Expected<RowStatistics> statistics = roundToNearest(format, {0, 2}, 3, matrix.source(), matrix.sink());
  ASSERT_TRUE(statistics) << statistics.error().message;
  EXPECT_EQ(statistics->squaredError, 0.0625 + 0.25);
  EXPECT_EQ(statistics->squaredNorm, 64 + 49 + 1 + 64 + 5.0625 + 0.25);
  ASSERT_EQ(matrix.stored.size(), 2u);
  std::vector<float> decoded(3);
  formats::RowBuffer row(format, 3);
  formats::unpackRow(format, 3, matrix.stored[1], row.row());
  formats::decodeRow(format, row.view(), decoded);
  EXPECT_THAT(decoded, testing::ElementsAre(-8, 2, 0));
}

TEST(Rtn, PlainFormatsLoseNothing) {
  Matrix matrix{2, 2, {1.1f, -2.2f, 3.3f, 0}, {}};
  const auto statistics =
      roundToNearest(Format::plain(formats::Scalar::F32), {0, 2}, 2, matrix.source(), matrix.sink());
  ASSERT_TRUE(statistics);
  EXPECT_EQ(statistics->squaredError, 0);
  EXPECT_EQ(std::memcmp(matrix.stored[1].data(), &matrix.weights[2], 8), 0);
}

TEST(Rtn, NamesRowAndColumnOfABadWeight) {
  Matrix matrix{2, 3, {1, 2, 3, 4, 5, std::numeric_limits<float>::infinity()}, {}};
  const auto statistics = roundToNearest(Format::integer(4, 2), {0, 2}, 3, matrix.source(), matrix.sink());
  ASSERT_FALSE(statistics);
  EXPECT_EQ(statistics.error().message, "row 1, column 2 is inf");
  EXPECT_EQ(matrix.stored.size(), 1u);
}

TEST(Rtn, QuantizesARangeOfRowsAsTheWholeMatrixWould) {
  Matrix matrix{3, 2, {1, 2, 3, -4, 5, 6}, {}};
  const Format format = Format::integer(8, 2);
  ASSERT_TRUE(roundToNearest(format, {0, 3}, 2, matrix.source(), matrix.sink()));
  std::vector<std::byte> row;
  const RowSink keep = [&](int64_t index, std::span<const std::byte> bytes) -> Status {
    EXPECT_EQ(index, 1);
    row.assign(bytes.begin(), bytes.end());
    return {};
  };
  ASSERT_TRUE(roundToNearest(format, {1, 2}, 2, matrix.source(), keep));
  EXPECT_EQ(row, matrix.stored[1]);
}

TEST(VocabularyFormat, IsEightBitsBesideCodesAndTheSameBesideValues) {
  EXPECT_EQ(formats::name(vocabularyFormat(*formats::parse("int4-g128-asym"))), "int8-g32");
  EXPECT_EQ(formats::name(vocabularyFormat(*formats::parse("int8-row"))), "int8-g32");
  EXPECT_EQ(formats::name(vocabularyFormat(*formats::parse("f32"))), "f32");
}

TEST(Rtn, PassesOnTheErrorsOfSourceAndSink) {
  Matrix matrix{1, 1, {1}, {}};
  const RowSource noSource = [](int64_t, std::span<float>) -> Status { return Error{"model.onnx: too short"}; };
  const RowSink noSink = [](int64_t, std::span<const std::byte>) -> Status { return Error{"work: no space left"}; };
  const Format format = Format::integer(8, 0);
  EXPECT_EQ(roundToNearest(format, {0, 1}, 1, noSource, matrix.sink()).error().message, "model.onnx: too short");
  EXPECT_EQ(roundToNearest(format, {0, 1}, 1, matrix.source(), noSink).error().message, "work: no space left");
}

} // namespace
