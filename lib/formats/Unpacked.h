// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A third layout, for the reference lowering only: every part of a weight as a plain array, nothing packed.
#pragma once

#include "lib/formats/Packing.h"

namespace halftone::formats {

// levels [rows, columns] u8  |  steps [rows, blocks] f32  |  zeros [rows, blocks] u8
// Each array begins on a cache line. A format that stores no zeros has its zeroLevel() there. A plain format has one
// array, [rows, columns] f32.

inline constexpr int64_t unpackedAlignment = 64;

constexpr int64_t alignUnpacked(int64_t bytes) { return divideUp(bytes, unpackedAlignment) * unpackedAlignment; }

/// Where the steps begin. Not for plain formats.
constexpr int64_t unpackedStepsOffset(int64_t rows, int64_t columns) { return alignUnpacked(rows * columns); }

/// Where the zeros begin. Not for plain formats.
constexpr int64_t unpackedZerosOffset(const Format &format, int64_t rows, int64_t columns) {
  return alignUnpacked(unpackedStepsOffset(rows, columns) +
                       rows * format.blockCount(columns) * static_cast<int64_t>(sizeof(float)));
}

/// Bytes of an unpacked matrix.
constexpr int64_t unpackedBytes(const Format &format, int64_t rows, int64_t columns) {
  if (format.isPlain())
    return rows * columns * static_cast<int64_t>(sizeof(float));
  return unpackedZerosOffset(format, rows, columns) + rows * format.blockCount(columns);
}

static_assert(unpackedZerosOffset(Format::integer(4, 32), 2, 48) == 128 + 64);
static_assert(unpackedBytes(Format::integer(4, 32), 2, 48) == 128 + 64 + 4);

} // namespace halftone::formats
