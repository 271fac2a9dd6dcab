// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Packing and unpacking of both layouts.
#include "lib/formats/Packing.h"

#include <algorithm>
#include <cassert>
#include <vector>

namespace halftone::formats {

/// Eight codes of `bits` bits fill exactly `bits` bytes, so codes are moved in eights; the last ones may be fewer.
void packBits(std::span<const uint8_t> codes, int bits, std::byte *out) {
  for (size_t first = 0; first < codes.size(); first += 8, out += bits) {
    const size_t count = std::min<size_t>(8, codes.size() - first);
    uint64_t word = 0;
    for (size_t i = 0; i < count; ++i)
      word |= static_cast<uint64_t>(codes[first + i]) << (i * bits);
    std::memcpy(out, &word, divideUp(count * bits, 8));
  }
}

static void unpackBits(const std::byte *from, int bits, std::span<uint8_t> codes) {
  const uint64_t mask = (1u << bits) - 1;
  for (size_t first = 0; first < codes.size(); first += 8, from += bits) {
    const size_t count = std::min<size_t>(8, codes.size() - first);
    uint64_t word = 0;
    std::memcpy(&word, from, divideUp(count * bits, 8));
    for (size_t i = 0; i < count; ++i)
      codes[first + i] = static_cast<uint8_t>(word >> (i * bits) & mask);
  }
}

static void storeScalars(Scalar scalar, std::span<const float> values, std::byte *out) {
  for (size_t i = 0; i < values.size(); ++i)
    storeScalar(scalar, values[i], out + i * scalarBytes(scalar));
}

static void loadScalars(Scalar scalar, const std::byte *from, std::span<float> values) {
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = loadScalar(scalar, from + i * scalarBytes(scalar));
}

/// Where the scales of a storage row begin, and where its zeros do.
static int64_t storedScales(const Format &format, int64_t columns) { return divideUp(columns * format.code.bits, 8); }
static int64_t storedZeros(const Format &format, int64_t columns) {
  return storedScales(format, columns) + format.blockCount(columns) * scalarBytes(format.scale);
}

void packRow(const Format &format, int64_t columns, EncodedRowView row, std::span<std::byte> out) {
  assert(static_cast<int64_t>(out.size()) == rowBytes(format, columns));
  if (format.isPlain())
    return storeScalars(format.code.scalar, row.values, out.data());
  packBits(row.codes, format.code.bits, out.data());
  storeScalars(format.scale, row.scales, out.data() + storedScales(format, columns));
  if (format.zeroPoint)
    packBits(row.zeros, format.code.bits, out.data() + storedZeros(format, columns));
}

void unpackCodes(const Format &format, std::span<const std::byte> bytes, int64_t first, std::span<uint8_t> codes) {
  assert(first % 8 == 0);
  unpackBits(bytes.data() + first / 8 * format.code.bits, format.code.bits, codes);
}

void unpackScales(const Format &format, int64_t columns, std::span<const std::byte> bytes, int64_t first,
                  std::span<float> scales) {
  loadScalars(format.scale, bytes.data() + storedScales(format, columns) + first * scalarBytes(format.scale), scales);
}

void unpackZeros(const Format &format, int64_t columns, std::span<const std::byte> bytes, int64_t first,
                 std::span<uint8_t> zeros) {
  assert(first % 8 == 0);
  unpackBits(bytes.data() + storedZeros(format, columns) + first / 8 * format.code.bits, format.code.bits, zeros);
}

void unpackRow(const Format &format, int64_t columns, std::span<const std::byte> bytes, EncodedRow row) {
  assert(static_cast<int64_t>(bytes.size()) == rowBytes(format, columns));
  if (format.isPlain())
    return loadScalars(format.code.scalar, bytes.data(), row.values);
  unpackCodes(format, bytes, 0, row.codes);
  unpackScales(format, columns, bytes, 0, row.scales);
  if (format.zeroPoint)
    unpackZeros(format, columns, bytes, 0, row.zeros);
}

/// Calls visit(column, position) for the columns of one lane: `position` counts elements in unfolded vectors.
template <class Visit>
static void visitElements(const KernelLayout &layout, int64_t length, int64_t lane, Visit visit) {
  for (int64_t column = 0, vector = 0; column < length; ++vector)
    for (int64_t g = 0; g < layout.group && column < length; ++g, ++column)
      visit(column, vector * lineBytes(layout) + lane * layout.group + g);
}

/// Calls visit(column, byte, shift) for the columns of one lane: where in `plane` the slice of its code is.
template <class Visit>
static void visitCodes(const Plane &plane, const KernelLayout &layout, int64_t length, int64_t lane, Visit visit) {
  for (int64_t column = 0, vector = 0; column < length; ++vector) {
    const int64_t byte = vector / plane.vectorsPerLine() * lineBytes(layout) + lane * layout.group;
    const int shift = static_cast<int>(vector % plane.vectorsPerLine()) * plane.bits;
    for (int64_t g = 0; g < layout.group && column < length; ++g, ++column)
      visit(column, byte + g, shift);
  }
}

/// What the codes of a plane are stored less than they are.
static int lessIn(const Plane &plane, const KernelLayout &layout) {
  return plane.bits == 8 ? static_cast<int>(layout.less) : 0;
}

/// Adds one row to a block whose bytes are still 0 where the row goes.
static void packLane(const Format &format, const KernelLayout &layout, int64_t lane, std::span<const uint8_t> codes,
                     float scale, std::byte *block) {
  const int64_t length = codes.size();
  std::byte *lines = block;
  for (const Plane &plane : planes(format.code.bits)) {
    const int mask = (1 << plane.bits) - 1, less = lessIn(plane, layout);
    visitCodes(plane, layout, length, lane, [&](int64_t column, int64_t byte, int shift) {
      lines[byte] |= static_cast<std::byte>(((codes[column] - less) >> plane.low & mask) << shift);
    });
    lines += lineCount(plane, layout, length) * lineBytes(layout);
  }
  storeScalar(format.scale, scale, lines + lane * scalarBytes(format.scale));
}

/// Reads one row of a block into codes that are still 0. \returns the scale.
static float unpackLane(const Format &format, const KernelLayout &layout, int64_t lane, const std::byte *block,
                        std::span<uint8_t> codes) {
  const int64_t length = codes.size();
  const std::byte *lines = block;
  for (const Plane &plane : planes(format.code.bits)) {
    const int mask = (1 << plane.bits) - 1, less = lessIn(plane, layout);
    visitCodes(plane, layout, length, lane, [&](int64_t column, int64_t byte, int shift) {
      codes[column] |= static_cast<uint8_t>((((static_cast<int>(lines[byte]) >> shift) + less) & mask) << plane.low);
    });
    lines += lineCount(plane, layout, length) * lineBytes(layout);
  }
  return loadScalar(format.scale, lines + lane * scalarBytes(format.scale));
}

static void packPlain(Scalar scalar, const KernelLayout &layout, std::span<const EncodedRowView> rows,
                      std::span<std::byte> out) {
  for (size_t lane = 0; lane < rows.size(); ++lane)
    visitElements(layout, rows[lane].values.size(), lane, [&](int64_t column, int64_t position) {
      storeScalar(scalar, rows[lane].values[column], &out[position * scalarBytes(scalar)]);
    });
}

static void packZeros(const Format &format, const KernelLayout &layout, std::span<const EncodedRowView> rows, int64_t b,
                      std::byte *out) {
  std::vector<uint8_t> zeros(layout.lanes);
  std::ranges::transform(rows, zeros.begin(), [&](const EncodedRowView &row) { return row.zeros[b]; });
  packBits(zeros, format.code.bits, out);
}

void packTile(const Format &format, const KernelLayout &layout, int64_t columns, std::span<const EncodedRowView> rows,
              std::span<std::byte> out) {
  assert(static_cast<int64_t>(out.size()) == tileBytes(format, layout, columns));
  assert(static_cast<int64_t>(rows.size()) <= layout.lanes);
  std::ranges::fill(out, std::byte(0));
  if (format.isPlain())
    return packPlain(format.code.scalar, layout, rows, out);
  for (int64_t b = 0; b < format.blockCount(columns); ++b) {
    const int64_t start = format.blockStart(b), length = format.blockLength(columns, b);
    std::byte *block = out.data() + blockOffset(format, layout, columns, b);
    for (size_t lane = 0; lane < rows.size(); ++lane)
      packLane(format, layout, lane, rows[lane].codes.subspan(start, length), rows[lane].scales[b], block);
    if (format.zeroPoint)
      packZeros(format, layout, rows, b, block + zerosOffset(format, layout, length));
  }
}

static void unpackPlain(Scalar scalar, const KernelLayout &layout, std::span<const std::byte> tile,
                        std::span<const EncodedRow> rows) {
  for (size_t lane = 0; lane < rows.size(); ++lane)
    visitElements(layout, rows[lane].values.size(), lane, [&](int64_t column, int64_t position) {
      rows[lane].values[column] = loadScalar(scalar, &tile[position * scalarBytes(scalar)]);
    });
}

static void unpackZeros(const Format &format, const KernelLayout &layout, std::span<const EncodedRow> rows, int64_t b,
                        const std::byte *from) {
  std::vector<uint8_t> zeros(layout.lanes);
  unpackBits(from, format.code.bits, zeros);
  for (size_t lane = 0; lane < rows.size(); ++lane)
    rows[lane].zeros[b] = zeros[lane];
}

void unpackTile(const Format &format, const KernelLayout &layout, int64_t columns, std::span<const std::byte> tile,
                std::span<const EncodedRow> rows) {
  assert(static_cast<int64_t>(tile.size()) == tileBytes(format, layout, columns));
  assert(static_cast<int64_t>(rows.size()) <= layout.lanes);
  if (format.isPlain())
    return unpackPlain(format.code.scalar, layout, tile, rows);
  for (const EncodedRow &row : rows)
    std::ranges::fill(row.codes, uint8_t(0));
  for (int64_t b = 0; b < format.blockCount(columns); ++b) {
    const int64_t start = format.blockStart(b), length = format.blockLength(columns, b);
    const std::byte *block = tile.data() + blockOffset(format, layout, columns, b);
    for (size_t lane = 0; lane < rows.size(); ++lane)
      rows[lane].scales[b] = unpackLane(format, layout, lane, block, rows[lane].codes.subspan(start, length));
    if (format.zeroPoint)
      unpackZeros(format, layout, rows, b, block + zerosOffset(format, layout, length));
  }
}

} // namespace halftone::formats
