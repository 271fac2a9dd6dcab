// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every integer format in every flat layout: each element of the three tensors, found by the layout's definition alone,
// decodes to the weight that the storage row decodes to, bit for bit.
#include "lib/formats/FlatLayout.h"

#include "lib/formats/Codec.h"
#include "lib/formats/Packing.h"
#include "test/formats/AllFormats.h"
#include "test/io/TemporaryFolder.h"

#include <numeric>
#include <random>

using namespace halftone;
using namespace halftone::formats;

namespace {

/// A random matrix in a file, and what its rows decode to.
struct Sample {
  Sample(const Format &format, int64_t rows, int64_t columns) : shape{rows, columns, format, false} {
    std::mt19937 random(static_cast<unsigned>(rows * 1000 + columns));
    std::normal_distribution<float> normal;
    RowBuffer row(format, columns);
    std::string bytes;
    std::vector<std::byte> packed(rowBytes(format, columns));
    decoded.resize(rows * columns);
    for (int64_t r = 0; r < rows; ++r) {
      std::vector<float> weights(columns);
      std::ranges::generate(weights, [&] { return normal(random); });
      EXPECT_TRUE(encodeRow(format, weights, row.row()));
      decodeRow(format, row.view(), std::span(decoded).subspan(r * columns, columns));
      packRow(format, columns, row.view(), packed);
      bytes.append(reinterpret_cast<const char *>(packed.data()), packed.size());
    }
    auto file = std::make_shared<const io::MappedFile>(std::move(*io::MappedFile::open(folder.write("w", bytes))));
    matrix = std::make_unique<StoredMatrix>(std::move(*StoredMatrix::open(file, 0, shape)));
  }

  std::vector<std::byte> tensor(FlatPart part, const FlatLayout &layout) const {
    std::vector<std::byte> bytes;
    EXPECT_TRUE(writeFlat(part, *matrix, layout, [&](std::span<const std::byte> piece) -> Status {
      bytes.insert(bytes.end(), piece.begin(), piece.end());
      return {};
    }));
    EXPECT_EQ(static_cast<int64_t>(bytes.size()), flatBytes(part, shape, layout));
    return bytes;
  }

  test::TemporaryFolder folder;
  StoredShape shape;
  std::vector<float> decoded;
  std::unique_ptr<StoredMatrix> matrix;
};

/// Element `index` of integers packed from the low bits up, bit by bit.
int elementAt(std::span<const std::byte> bytes, int64_t index, int bits) {
  int value = 0;
  for (int bit = 0; bit < bits; ++bit) {
    const int64_t at = index * bits + bit;
    value |= (static_cast<int>(bytes[at / 8]) >> at % 8 & 1) << bit;
  }
  return value;
}

} // namespace

/// Checks each weight of `sample`, and what fills a row up, against the tensors of `layout`.
static void check(const Sample &sample, const FlatLayout &layout) {
  const auto &[rows, columns, format, unused] = sample.shape;
  const auto codes = sample.tensor(FlatPart::Codes, layout), scales = sample.tensor(FlatPart::Scales, layout);
  const auto zeros = format.zeroPoint ? sample.tensor(FlatPart::Zeros, layout) : std::vector<std::byte>();
  const int bits = format.code.bits;
  const int64_t blocks = divideUp(columns, layout.block), width = layout.isPadded ? blocks * layout.block : columns;
  const int64_t zerosWidth = layout.isPadded ? divideUp(blocks * bits, 8) * 8 / bits : blocks;
  const auto at = [&](int64_t row, int64_t column, int64_t rowLength) {
    return layout.isTransposed ? column * rows + row : row * rowLength + column;
  };
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < width; ++column) {
      const int64_t block = column / layout.block;
      int code = elementAt(codes, at(row, column, width), bits);
      int zero = layout.isSigned ? 0 : 1 << (bits - 1);
      if (layout.isSigned && code >= 1 << (bits - 1))
        code -= 1 << bits;
      if (format.zeroPoint)
        zero = elementAt(zeros, at(row, block, zerosWidth), bits);
      const float scale = loadScalar(layout.scale, scales.data() + at(row, block, blocks) * scalarBytes(layout.scale));
      const float value = static_cast<float>(code - zero) * scale;
      ASSERT_EQ(value, column < columns ? sample.decoded[row * columns + column] : 0)
          << name(format) << " [" << rows << ", " << columns << "] at " << row << ", " << column;
    }
}

TEST(FlatLayout, EveryFormatEveryLayout) {
  for (const Format &format : integerFormats({0, 1, 5, 16, 48, 64}))
    for (const auto [rows, columns] : {std::pair<int64_t, int64_t>{1, 1}, {3, 7}, {9, 100}, {23, 64}, {16, 129}}) {
      const Sample sample(format, rows, columns);
      const int64_t whole = format.block == 0 ? columns : format.block;
      for (const bool isTransposed : {false, true})
        for (const bool isSigned : {false, true})
          if (!isSigned || !format.zeroPoint)
            check(sample, {whole, false, isTransposed, isSigned, Scalar::F32});
      check(sample, {whole, false, false, false, format.scale});
      if (whole % 16 == 0 && format.code.bits != 3) // rows that end at a byte
        for (const int64_t block : {int64_t(16), whole})
          check(sample, {block, true, false, false, Scalar::F32});
    }
}

TEST(FlatLayout, LargeMatricesComeInSeveralBlocks) {
  const Sample sample(Format::integer(4, 32, Scalar::F16, true), 700, 801);
  check(sample, {32, false, true, false, Scalar::F32});
  check(sample, {32, false, false, false, Scalar::F32});
  check(sample, {16, true, false, false, Scalar::F32});
}

TEST(FlatLayout, TheSinkEndsIt) {
  const Sample sample(Format::integer(4, 32), 3, 64);
  const Status failed = writeFlat(FlatPart::Codes, *sample.matrix, {.block = 32},
                                  [](std::span<const std::byte>) -> Status { return Error{"no space"}; });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "no space");
}
