// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Both layouts hold every row of every format, at the offsets that are promised to the code generator.
#include "lib/formats/Packing.h"
#include "test/formats/AllFormats.h"

#include <gmock/gmock.h>
#include <random>

using namespace halftone;
using namespace halftone::formats;
using testing::Each;
using testing::ElementsAre;
using testing::ElementsAreArray;

namespace {

constexpr KernelLayout layouts[] = {{16, 4}, {8, 4}, {4, 4}, {16, 1}, {16, 2}, {8, 4, 128}};
constexpr int64_t columnCounts[] = {1, 7, 31, 48, 288, 300};
constexpr int64_t rowCounts[] = {1, 15, 16, 17};

/// Random codes, zeros, and values that the types hold exactly.
RowBuffer randomRow(const Format &format, int64_t columns, std::mt19937 &random) {
  RowBuffer buffer(format, columns);
  const EncodedRow row = buffer.row();
  const auto code = [&] { return static_cast<uint8_t>(random() & format.code.maxCode()); };
  const auto value = [&](Scalar scalar) { return roundTo(scalar, static_cast<float>(random()) * 0x1p-30f - 2); };
  std::ranges::generate(row.codes, code);
  std::ranges::generate(row.zeros, code);
  std::ranges::generate(row.scales, [&] { return value(format.scale); });
  std::ranges::generate(row.values, [&] { return value(format.code.scalar); });
  return buffer;
}

/// A row whose every part differs from what is to be read into it.
RowBuffer dirtyRow(const Format &format, int64_t columns) {
  RowBuffer buffer(format, columns);
  std::ranges::fill(buffer.row().codes, 0xff);
  std::ranges::fill(buffer.row().zeros, 0xff);
  std::ranges::fill(buffer.row().scales, -99.0f);
  std::ranges::fill(buffer.row().values, -99.0f);
  return buffer;
}

bool equal(EncodedRowView a, EncodedRowView b) {
  return std::ranges::equal(a.codes, b.codes) && std::ranges::equal(a.scales, b.scales) &&
         std::ranges::equal(a.zeros, b.zeros) && std::ranges::equal(a.values, b.values);
}

std::vector<int> integers(std::span<const std::byte> bytes) {
  std::vector<int> result;
  for (std::byte byte : bytes)
    result.push_back(static_cast<int>(byte));
  return result;
}

TEST(StorageRow, HoldsEveryRow) {
  std::mt19937 random(1);
  for (const Format &format : allFormats())
    for (int64_t columns : columnCounts) {
      const RowBuffer row = randomRow(format, columns, random);
      RowBuffer read = dirtyRow(format, columns);
      // Exactly rowBytes are written: the sanitizers watch the ends, and no byte keeps what was there.
      std::vector<std::byte> bytes(rowBytes(format, columns), std::byte(0xaa)), again(bytes.size(), std::byte(0x55));
      packRow(format, columns, row.view(), bytes);
      packRow(format, columns, row.view(), again);
      ASSERT_EQ(bytes, again) << name(format);
      unpackRow(format, columns, bytes, read.row());
      ASSERT_TRUE(equal(row.view(), read.view())) << name(format) << " " << columns;
    }
}

TEST(StorageRow, IsCodesScalesZerosFromTheLowBitsUp) {
  const Format format = Format::integer(3, 2, Scalar::F16, true);
  RowBuffer buffer(format, 3);
  std::ranges::copy(std::array<uint8_t, 3>{5, 2, 7}, buffer.row().codes.begin());
  std::ranges::copy(std::array<float, 2>{1, -2}, buffer.row().scales.begin());
  std::ranges::copy(std::array<uint8_t, 2>{6, 1}, buffer.row().zeros.begin());
  std::vector<std::byte> bytes(rowBytes(format, 3));
  packRow(format, 3, buffer.view(), bytes);
  // 5 + (2 << 3) + (7 << 6) = 0x1d5; 1 is 0x3c00, -2 is 0xc000; 6 + (1 << 3) = 14.
  EXPECT_THAT(integers(bytes), ElementsAre(0xd5, 0x01, 0x00, 0x3c, 0x00, 0xc0, 14));
}

TEST(KernelTile, HoldsEveryRow) {
  std::mt19937 random(2);
  for (const Format &format : allFormats())
    for (const KernelLayout &layout : layouts)
      for (int64_t columns : columnCounts)
        for (int64_t rows : rowCounts)
          for (int64_t first = 0; first < rows; first += layout.lanes) {
            const int64_t count = std::min(rows - first, layout.lanes);
            std::vector<RowBuffer> written, read(count, dirtyRow(format, columns));
            std::vector<EncodedRowView> views;
            std::vector<EncodedRow> targets;
            for (int64_t i = 0; i < count; ++i)
              written.push_back(randomRow(format, columns, random));
            for (int64_t i = 0; i < count; ++i) {
              views.push_back(written[i].view());
              targets.push_back(read[i].row());
            }
            std::vector<std::byte> tile(tileBytes(format, layout, columns), std::byte(0xaa));
            packTile(format, layout, columns, views, tile);
            unpackTile(format, layout, columns, tile, targets);
            for (int64_t i = 0; i < count; ++i)
              ASSERT_TRUE(equal(views[i], read[i].view()))
                  << name(format) << " lanes " << layout.lanes << " group " << layout.group << " columns " << columns;
          }
}

/// Reads a code as kernels.md describes the layout, by arithmetic of its own.
int codeAt(const Format &format, const KernelLayout &layout, std::span<const std::byte> block, int64_t length,
           int64_t lane, int64_t column) {
  const int64_t vector = column / layout.group, vectors = (length + layout.group - 1) / layout.group;
  const int64_t byteInLine = lane * layout.group + column % layout.group;
  int code = 0, low = 0;
  int64_t begin = 0;
  for (int width : {8, 4, 2, 1}) {
    if (!(format.code.bits & width))
      continue;
    const int64_t perLine = 8 / width;
    const int stored = static_cast<int>(block[begin + vector / perLine * layout.lanes * layout.group + byteInLine]);
    const int byte = width == 8 ? (stored + static_cast<int>(layout.less)) % 256 : stored;
    code |= (byte >> (vector % perLine * width) & ((1 << width) - 1)) << low;
    low += width;
    begin += (vectors + perLine - 1) / perLine * layout.lanes * layout.group;
  }
  return code;
}

TEST(KernelTile, HasCodesScalesAndZerosWhereTheLayoutSays) {
  std::mt19937 random(4);
  for (const Format &format : integerFormats({0, 16, 32, 64, 128}))
    for (const KernelLayout &layout : layouts)
      for (int64_t columns : columnCounts) {
        std::vector<RowBuffer> rows;
        std::vector<EncodedRowView> views;
        for (int64_t i = 0; i < layout.lanes; ++i)
          rows.push_back(randomRow(format, columns, random));
        for (const RowBuffer &row : rows)
          views.push_back(row.view());
        std::vector<std::byte> tile(tileBytes(format, layout, columns));
        packTile(format, layout, columns, views, tile);
        for (int64_t b = 0; b < format.blockCount(columns); ++b) {
          const int64_t length = format.blockLength(columns, b), start = format.blockStart(b);
          const auto block = std::span<const std::byte>(tile).subspan(blockOffset(format, layout, columns, b),
                                                                      blockBytes(format, layout, length));
          for (int64_t lane = 0; lane < layout.lanes; ++lane) {
            for (int64_t i = 0; i < length; ++i)
              ASSERT_EQ(codeAt(format, layout, block, length, lane, i), views[lane].codes[start + i]) << name(format);
            ASSERT_EQ(loadScalar(format.scale,
                                 &block[scalesOffset(format, layout, length) + lane * scalarBytes(format.scale)]),
                      views[lane].scales[b]);
            for (int bit = 0; format.zeroPoint && bit < format.code.bits; ++bit) {
              const int64_t position = lane * format.code.bits + bit;
              const std::byte byte = block[zerosOffset(format, layout, length) + position / 8];
              ASSERT_EQ(static_cast<int>(byte) >> (position % 8) & 1, views[lane].zeros[b] >> bit & 1) << name(format);
            }
          }
        }
      }
}

TEST(KernelTile, PlainVectorsAreLaneByLane) {
  // 2 lanes, group 2, 3 columns: vector 0 is a0 a1 b0 b1, vector 1 is a2 - b2 -.
  const Format format = Format::plain(Scalar::BF16);
  RowBuffer a(format, 3), b(format, 3);
  std::ranges::copy(std::array<float, 3>{1, 2, 3}, a.row().values.begin());
  std::ranges::copy(std::array<float, 3>{-1, -2, -3}, b.row().values.begin());
  std::vector<std::byte> tile(tileBytes(format, {2, 2}, 3), std::byte(0xaa));
  packTile(format, {2, 2}, 3, std::array{a.view(), b.view()}, tile);
  std::vector<float> values;
  for (size_t i = 0; i < tile.size(); i += 2)
    values.push_back(loadScalar(Scalar::BF16, &tile[i]));
  EXPECT_THAT(values, ElementsAre(1, 2, -1, -2, 3, 0, -3, 0));
}

TEST(KernelTile, MissingRowsAndColumnsAreZeroBits) {
  std::mt19937 random(5);
  for (const Format &format : allFormats())
    for (const KernelLayout &layout : layouts) {
      std::vector<std::byte> one(tileBytes(format, layout, 31), std::byte(0xaa)), padded(one.size(), std::byte(0xaa));
      const RowBuffer row = randomRow(format, 31, random);
      RowBuffer zeros(format, 31);
      if (format.code.bits == 8)
        std::ranges::fill(zeros.row().codes, static_cast<uint8_t>(layout.less)); // which is stored as zero bits
      std::vector<EncodedRowView> rows(layout.lanes, zeros.view());
      rows[0] = row.view();
      packTile(format, layout, 31, std::span(rows).first(1), one);
      packTile(format, layout, 31, rows, padded);
      ASSERT_EQ(one, padded) << name(format);
      packTile(format, layout, 31, {}, one);
      ASSERT_THAT(one, Each(std::byte(0))) << name(format);
    }
}

TEST(KernelTile, OffsetsFollowEachOther) {
  for (const Format &format : allFormats({0, 1, 7, 16, 128}))
    for (const KernelLayout &layout : layouts)
      for (int64_t columns : columnCounts) {
        int64_t offset = 0;
        for (int64_t b = 0; b < format.blockCount(columns); ++b) {
          ASSERT_EQ(blockOffset(format, layout, columns, b), offset) << name(format);
          offset += blockBytes(format, layout, format.blockLength(columns, b));
        }
        ASSERT_EQ(tileBytes(format, layout, columns), offset) << name(format);
        ASSERT_EQ(packedBytes(format, layout, 17, columns), (17 + layout.lanes - 1) / layout.lanes * offset);
      }
}

TEST(KernelTile, PlanesAreThePowersOfTwoOfTheCode) {
  const auto widths = [](int bits) {
    std::vector<std::pair<int, int>> result;
    for (const Plane &plane : planes(bits))
      result.emplace_back(plane.bits, plane.low);
    return result;
  };
  using testing::Pair;
  EXPECT_THAT(widths(8), ElementsAre(Pair(8, 0)));
  EXPECT_THAT(widths(6), ElementsAre(Pair(4, 0), Pair(2, 4)));
  EXPECT_THAT(widths(5), ElementsAre(Pair(4, 0), Pair(1, 4)));
  EXPECT_THAT(widths(4), ElementsAre(Pair(4, 0)));
  EXPECT_THAT(widths(3), ElementsAre(Pair(2, 0), Pair(1, 2)));
  EXPECT_THAT(widths(2), ElementsAre(Pair(2, 0)));
  EXPECT_THAT(widths(1), ElementsAre(Pair(1, 0)));
}

TEST(Sizes, AreTheBitsPerWeightOfTheFormat) {
  // With no padding: 16 lanes and columns that fill every line.
  for (const Format &format : integerFormats({16, 32, 64, 128, 256})) {
    const int64_t columns = 1024;
    EXPECT_EQ(tileBytes(format, {16, 1}, columns) * 8, format.bitsPerWeight(columns) * 16 * columns) << name(format);
    EXPECT_EQ(rowBytes(format, columns * 8) * 8, format.bitsPerWeight(columns * 8) * columns * 8) << name(format);
  }
}

} // namespace
