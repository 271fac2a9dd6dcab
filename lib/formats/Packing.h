// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Two lossless layouts of encoded rows: storage rows, one matrix row after the other, for work files; and kernel tiles,
// several rows side by side, one per vector lane, for the generated code, which takes its offsets from here.
#pragma once

#include "lib/formats/EncodedRow.h"
#include "lib/formats/Format.h"

#include <array>
#include <cstddef>
#include <span>

namespace halftone::formats {

constexpr int64_t divideUp(int64_t dividend, int64_t divisor) { return (dividend + divisor - 1) / divisor; }

// ---- Storage rows: codes bit-packed from the low bits up, padded to a byte; scales in their type; zeros bit-packed,
// padded to a byte. A plain format: its elements.

/// Bytes of one storage row.
constexpr int64_t rowBytes(const Format &format, int64_t columns) {
  const int64_t codes = divideUp(columns * format.code.bits, 8);
  if (format.isPlain())
    return codes;
  const int64_t blocks = format.blockCount(columns);
  return codes + blocks * scalarBytes(format.scale) + (format.zeroPoint ? divideUp(blocks * format.code.bits, 8) : 0);
}

/// Writes `row` to `out`, which has exactly rowBytes(format, columns) bytes.
void packRow(const Format &format, int64_t columns, EncodedRowView row, std::span<std::byte> out);

/// Reads what packRow wrote.
void unpackRow(const Format &format, int64_t columns, std::span<const std::byte> bytes, EncodedRow row);

/// Parts of what packRow wrote, of formats with codes: from column `first` on, or from block `first` on; a multiple of
/// 8 where bits are unpacked.
void unpackCodes(const Format &format, std::span<const std::byte> bytes, int64_t first, std::span<uint8_t> codes);
void unpackScales(const Format &format, int64_t columns, std::span<const std::byte> bytes, int64_t first,
                  std::span<float> scales);
void unpackZeros(const Format &format, int64_t columns, std::span<const std::byte> bytes, int64_t first,
                 std::span<uint8_t> zeros);

/// Packs codes of `bits` bits from the low bits up; the last byte is filled with zero bits. `out` has as many bytes as
/// that takes.
void packBits(std::span<const uint8_t> codes, int bits, std::byte *out);

// ---- Kernel tiles. A tile holds `lanes` matrix rows; its blocks follow each other along the columns, so that a kernel
// reads one sequential stream. A block of n columns is
//   the lines of plane 0, the lines of plane 1, ..  |  `lanes` scales  |  `lanes` zeros, bit-packed, padded to a byte
// Vector j of a block holds the columns j * group .. j * group + group - 1 of each row, lane by lane. A plane takes
// `bits` bits of each code and folds 8 / bits consecutive vectors into one line of lanes * group bytes: vector j is in
// line j / (8 / bits), at bit (j % (8 / bits)) * bits of every byte. Columns and rows that are missing are zero bits.
// A plain format has one block, vectors of lanes * group elements, and no scales.

/// How a tile is interleaved. int8 dots take group 4, bf16 dots 2, f32 1.
struct KernelLayout {
  /// Matrix rows of a tile.
  int64_t lanes = 0;
  /// Consecutive columns of one row that sit side by side in its lane.
  int64_t group = 0;
  /// What codes of 8 bits are stored less than they are, modulo 256: 128 for dots of signed bytes, else 0.
  int64_t less = 0;

  constexpr bool operator==(const KernelLayout &) const = default;
};

/// A slice of every code: `bits` bits (a power of two) from bit `low` up.
struct Plane {
  int bits = 0;
  int low = 0;

  /// Vectors folded into one line.
  constexpr int64_t vectorsPerLine() const { return 8 / bits; }
  constexpr bool operator==(const Plane &) const = default;
};

/// The planes of a code, widths descending, the low bits first.
struct Planes {
  std::array<Plane, 4> planes;
  int count = 0;

  constexpr const Plane *begin() const { return planes.data(); }
  constexpr const Plane *end() const { return planes.data() + count; }
  constexpr int size() const { return count; }
  constexpr const Plane &operator[](int index) const { return planes[index]; }
};

/// The planes of codes of `bits` bits, 1..8: the powers of two that sum to it. 4: [4]; 3: [2, 1]; 5: [4, 1].
constexpr Planes planes(int bits) {
  Planes result;
  int low = 0;
  for (int width = 8; width > 0; width /= 2) {
    if ((bits & width) == 0)
      continue;
    result.planes[result.count++] = {width, low};
    low += width;
  }
  return result;
}

/// Vectors of a block of `length` columns, the last one maybe incomplete.
constexpr int64_t vectorCount(const KernelLayout &layout, int64_t length) { return divideUp(length, layout.group); }

/// Bytes of one line of codes.
constexpr int64_t lineBytes(const KernelLayout &layout) { return layout.lanes * layout.group; }

/// Lines of `plane` in a block of `length` columns.
constexpr int64_t lineCount(const Plane &plane, const KernelLayout &layout, int64_t length) {
  return divideUp(vectorCount(layout, length), plane.vectorsPerLine());
}

/// Where plane `index` begins within its block; with index = planes(bits).size(), where the codes end.
constexpr int64_t planeOffset(const Format &format, const KernelLayout &layout, int64_t length, int index) {
  const Planes all = planes(format.code.bits);
  int64_t lines = 0;
  for (int i = 0; i < index; ++i)
    lines += lineCount(all[i], layout, length);
  return lines * lineBytes(layout);
}

/// Where the scales begin within a block of `length` columns. Not for plain formats.
constexpr int64_t scalesOffset(const Format &format, const KernelLayout &layout, int64_t length) {
  return planeOffset(format, layout, length, planes(format.code.bits).size());
}

/// Where the zeros begin within a block of `length` columns, or would. Not for plain formats.
constexpr int64_t zerosOffset(const Format &format, const KernelLayout &layout, int64_t length) {
  return scalesOffset(format, layout, length) + layout.lanes * scalarBytes(format.scale);
}

/// Bytes of a block of `length` columns.
constexpr int64_t blockBytes(const Format &format, const KernelLayout &layout, int64_t length) {
  if (format.isPlain())
    return vectorCount(layout, length) * lineBytes(layout) * scalarBytes(format.code.scalar);
  return zerosOffset(format, layout, length) + (format.zeroPoint ? divideUp(layout.lanes * format.code.bits, 8) : 0);
}

/// Where block `b` begins within its tile; with b = blockCount, where the tile ends. All blocks but the last are equal.
constexpr int64_t blockOffset(const Format &format, const KernelLayout &layout, int64_t columns, int64_t b) {
  if (b == 0)
    return 0;
  return (b - 1) * blockBytes(format, layout, format.blockLength(columns, 0)) +
         blockBytes(format, layout, format.blockLength(columns, b - 1));
}

/// Bytes of a tile.
constexpr int64_t tileBytes(const Format &format, const KernelLayout &layout, int64_t columns) {
  return blockOffset(format, layout, columns, format.blockCount(columns));
}

/// Tiles of a matrix; the last one may have missing rows.
constexpr int64_t tileCount(const KernelLayout &layout, int64_t rows) { return divideUp(rows, layout.lanes); }

/// Bytes of a packed matrix: its tiles, one after the other.
constexpr int64_t packedBytes(const Format &format, const KernelLayout &layout, int64_t rows, int64_t columns) {
  return tileCount(layout, rows) * tileBytes(format, layout, columns);
}

/// Writes one tile of at most `lanes` rows to `out`, which has exactly tileBytes bytes; all of them are written.
void packTile(const Format &format, const KernelLayout &layout, int64_t columns, std::span<const EncodedRowView> rows,
              std::span<std::byte> out);

/// Reads the first rows.size() rows of a tile.
void unpackTile(const Format &format, const KernelLayout &layout, int64_t columns, std::span<const std::byte> tile,
                std::span<const EncodedRow> rows);

// int4-g32 for 16 rows: 4 lines of 64 bytes and 16 f16 scales; int3: 2 lines of low bits, 1 of high bits, scales.
static_assert(blockBytes(Format::integer(4, 32), {16, 4}, 32) == 288);
static_assert(blockBytes(Format::integer(3, 32), {16, 4}, 32) == 3 * 64 + 32);
static_assert(blockBytes(Format::integer(4, 32, Scalar::F16, true), {16, 4}, 32) == 288 + 8);
static_assert(blockBytes(Format::integer(8, 32), {16, 4}, 32) == 8 * 64 + 32);
static_assert(tileBytes(Format::integer(4, 128), {16, 4}, 288) == 2 * (16 * 64 + 32) + 288);
static_assert(tileBytes(Format::plain(Scalar::F32), {16, 1}, 288) == 288 * 16 * 4);
static_assert(rowBytes(Format::integer(4, 32), 288) == 144 + 18);

} // namespace halftone::formats
