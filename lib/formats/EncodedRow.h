// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One row of a matrix in a number format, unpacked: what the encoder writes, the decoder reads and both layouts hold.
#pragma once

#include "lib/formats/Format.h"

#include <cstdint>
#include <span>
#include <vector>

namespace halftone::formats {

/// A row to read. Of a plain format only `values` is used, of the others all but `values`.
struct EncodedRowView {
  /// One unsigned code a byte, one a column.
  std::span<const uint8_t> codes;
  /// One a block, each a value that the format's scale type holds exactly.
  std::span<const float> scales;
  /// One a block, 0..maxCode; empty unless the format has a zero point.
  std::span<const uint8_t> zeros;
  /// One a column, each a value that the format's element type holds exactly.
  std::span<const float> values;
};

/// A row to write: the same parts.
struct EncodedRow {
  std::span<uint8_t> codes;
  std::span<float> scales;
  std::span<uint8_t> zeros;
  std::span<float> values;

  operator EncodedRowView() const { return {codes, scales, zeros, values}; }
};

/// A row that owns its memory, sized for `format` and `columns`, all zero bits.
class RowBuffer {
public:
  RowBuffer(const Format &format, int64_t columns)
      : codes(format.isPlain() ? 0 : columns), scales(format.isPlain() ? 0 : format.blockCount(columns)),
        zeros(format.zeroPoint ? format.blockCount(columns) : 0), values(format.isPlain() ? columns : 0) {}

  /// Valid as long as the buffer lives where it is.
  EncodedRow row() { return {codes, scales, zeros, values}; }
  EncodedRowView view() const { return {codes, scales, zeros, values}; }

private:
  std::vector<uint8_t> codes;
  std::vector<float> scales;
  std::vector<uint8_t> zeros;
  std::vector<float> values;
};

} // namespace halftone::formats
