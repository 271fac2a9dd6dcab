// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A matrix in a number format, unpacked: rows that lie one after the other.
#pragma once

#include "lib/formats/EncodedRow.h"

namespace halftone::formats {

/// Owns its memory: codes, scales and zeros of every row, all zero bits at first. For formats with codes.
class EncodedMatrix {
public:
  EncodedMatrix(const Format &format, int64_t rows, int64_t columns)
      : description(format), height(rows), width(columns), blocks(format.blockCount(columns)), codes(rows * columns),
        scales(rows * blocks), zeros(format.zeroPoint ? rows * blocks : 0) {}

  const Format &format() const { return description; }
  int64_t rows() const { return height; }
  int64_t columns() const { return width; }

  /// Valid as long as the matrix lives where it is.
  EncodedRow row(int64_t row) {
    const int64_t storedZeros = description.zeroPoint ? blocks : 0;
    return {.codes = std::span(codes).subspan(row * width, width),
            .scales = std::span(scales).subspan(row * blocks, blocks),
            .zeros = std::span(zeros).subspan(row * storedZeros, storedZeros),
            .values = {}};
  }
  EncodedRowView row(int64_t row) const { return const_cast<EncodedMatrix *>(this)->row(row); }

private:
  Format description;
  int64_t height, width, blocks;
  std::vector<uint8_t> codes;
  std::vector<float> scales;
  std::vector<uint8_t> zeros;
};

} // namespace halftone::formats
