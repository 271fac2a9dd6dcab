// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elements are gathered in multiples of eight rows of the tensor, which end at a byte whatever their length.
#include "lib/formats/FlatLayout.h"

#include "lib/formats/Packing.h"

#include <algorithm>
#include <cassert>
#include <vector>

namespace halftone::formats {

int64_t flatColumns(FlatPart part, const Format &format, const FlatLayout &layout, int64_t columns) {
  const int64_t blocks = divideUp(columns, layout.block);
  switch (part) {
  case FlatPart::Codes:
    return layout.isPadded ? blocks * layout.block : columns;
  case FlatPart::Scales:
    return blocks;
  case FlatPart::Zeros:
    return layout.isPadded ? divideUp(blocks * format.code.bits, 8) * 8 / format.code.bits : blocks;
  }
  return 0;
}

/// Bits of an element of the tensor.
static int64_t bitsOf(FlatPart part, const Format &format, const FlatLayout &layout) {
  return part == FlatPart::Scales ? scalarBits(layout.scale) : format.code.bits;
}

int64_t flatBytes(FlatPart part, const StoredShape &shape, const FlatLayout &layout) {
  const int64_t elements = shape.rows * flatColumns(part, shape.format, layout, shape.columns);
  return divideUp(elements * bitsOf(part, shape.format, layout), 8);
}

namespace {

using Sink = std::function<Status(std::span<const std::byte>)>;

/// Reads elements of matrix rows as the tensor has them.
class FlatReader {
public:
  FlatReader(const StoredMatrix &matrix, const FlatLayout &layout)
      : matrix(matrix), layout(layout), format(matrix.shape().format), columns(matrix.shape().columns),
        rowScales(format.blockCount(columns)), rowZeros(format.blockCount(columns)) {}

  /// Elements of row `row` from `first` on; a multiple of 8.
  void codes(int64_t row, int64_t first, std::span<uint8_t> out) {
    const auto stored = static_cast<size_t>(std::clamp<int64_t>(columns - first, 0, out.size()));
    unpackCodes(format, matrix.storedRow(row), first, out.first(stored));
    if (stored < out.size())
      std::ranges::fill(out.subspan(stored), zeroOfLast(row));
    if (layout.isSigned)
      for (uint8_t &code : out)
        code ^= 1 << (format.code.bits - 1);
  }

  void scales(int64_t row, int64_t first, std::span<float> out) {
    unpackScales(format, columns, matrix.storedRow(row), 0, rowScales);
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = rowScales[blockOf(first + static_cast<int64_t>(i))];
  }

  void zeros(int64_t row, int64_t first, std::span<uint8_t> out) {
    unpackZeros(format, columns, matrix.storedRow(row), 0, rowZeros);
    for (size_t i = 0; i < out.size(); ++i) {
      const int64_t block = first + static_cast<int64_t>(i);
      out[i] = block * layout.block < columns ? rowZeros[blockOf(block)] : 0;
    }
  }

private:
  /// The format's block that block `b` of the layout lies in.
  int64_t blockOf(int64_t b) const { return format.block == 0 ? 0 : b * layout.block / format.block; }

  /// The code that means 0 in the last block of a row.
  uint8_t zeroOfLast(int64_t row) {
    if (!format.zeroPoint)
      return static_cast<uint8_t>(format.code.zeroLevel());
    unpackZeros(format, columns, matrix.storedRow(row), 0, rowZeros);
    return rowZeros.back();
  }

  const StoredMatrix &matrix;
  const FlatLayout &layout;
  const Format &format;
  int64_t columns;
  std::vector<float> rowScales; // of the row read last
  std::vector<uint8_t> rowZeros;
};

} // namespace

/// Rows or columns that are gathered at once, so that a block has some hundred thousand elements.
static int64_t stepOf(int64_t length) { return std::max<int64_t>(1, (1 << 18) / std::max<int64_t>(8 * length, 1)) * 8; }

/// Calls emit(elements) with all elements of a tensor in order: of [rows, columns], or of [columns, rows]. `read` fills
/// part of a row.
template <class T>
static Status gather(int64_t rows, int64_t columns, bool isTransposed,
                     const std::function<void(int64_t row, int64_t first, std::span<T> out)> &read,
                     const std::function<Status(std::span<const T>)> &emit) {
  std::vector<T> block, part;
  const int64_t outer = isTransposed ? columns : rows, step = stepOf(isTransposed ? rows : columns);
  for (int64_t first = 0; first < outer; first += step) {
    const int64_t count = std::min(step, outer - first);
    block.resize(count * (isTransposed ? rows : columns));
    part.resize(count);
    for (int64_t i = 0; i < (isTransposed ? rows : count); ++i) {
      if (!isTransposed) {
        read(first + i, 0, std::span(block).subspan(i * columns, columns));
        continue;
      }
      read(i, first, part);
      for (int64_t j = 0; j < count; ++j)
        block[j * rows + i] = part[j];
    }
    if (Status taken = emit(block); !taken)
      return taken;
  }
  return {};
}

Status writeFlat(FlatPart part, const StoredMatrix &matrix, const FlatLayout &layout, const Sink &sink) {
  const StoredShape &shape = matrix.shape();
  const Format &format = shape.format;
  assert(!format.isPlain() && !(layout.isPadded && layout.isTransposed));
  const int64_t columns = flatColumns(part, format, layout, shape.columns);
  FlatReader reader(matrix, layout);
  std::vector<std::byte> bytes;
  const auto emitScales = [&](std::span<const float> scales) {
    bytes.resize(scales.size() * scalarBytes(layout.scale));
    for (size_t i = 0; i < scales.size(); ++i)
      storeScalar(layout.scale, scales[i], bytes.data() + i * scalarBytes(layout.scale));
    return sink(bytes);
  };
  const auto emitCodes = [&](std::span<const uint8_t> codes) {
    bytes.resize(divideUp(codes.size() * format.code.bits, 8));
    packBits(codes, format.code.bits, bytes.data());
    return sink(bytes);
  };
  switch (part) {
  case FlatPart::Codes:
    return gather<uint8_t>(
        shape.rows, columns, layout.isTransposed, [&](auto... place) { reader.codes(place...); }, emitCodes);
  case FlatPart::Scales:
    return gather<float>(
        shape.rows, columns, layout.isTransposed, [&](auto... place) { reader.scales(place...); }, emitScales);
  case FlatPart::Zeros:
    return gather<uint8_t>(
        shape.rows, columns, layout.isTransposed, [&](auto... place) { reader.zeros(place...); }, emitCodes);
  }
  return {};
}

} // namespace halftone::formats
