// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rows, block by block on the grid of each.
#include "lib/formats/Codec.h"
#include "lib/formats/Grid.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace halftone::formats {

Status checkFinite(std::span<const float> row) {
  if (extentOf(row).isFinite())
    return {};
  const auto bad = std::ranges::find_if_not(row, [](float value) { return std::isfinite(value); });
  const char *value = std::isnan(*bad) ? "nan" : *bad > 0 ? "inf" : "-inf";
  return Error{"column " + std::to_string(bad - row.begin()) + " is " + value};
}

static Status encodePlain(const Format &format, std::span<const float> row, std::span<float> values) {
  if (Status status = checkFinite(row); !status)
    return status;
  std::ranges::transform(row, values.begin(), [&](float value) { return saturateTo(format.code.scalar, value); });
  return {};
}

static void assertShape(const Format &format, size_t columns, const EncodedRowView &row) {
  [[maybe_unused]] const size_t blocks = format.blockCount(static_cast<int64_t>(columns));
  assert(row.values.size() == (format.isPlain() ? columns : 0) && "values: one a column of a plain format");
  assert(row.codes.size() == (format.isPlain() ? 0 : columns) && "codes: one a column");
  assert(row.scales.size() == (format.isPlain() ? 0 : blocks) && "scales: one a block");
  assert(row.zeros.size() == (format.zeroPoint ? blocks : 0) && "zeros: one a block that stores one");
}

Status encodeRow(const Format &format, std::span<const float> row, EncodedRow out) {
  assertShape(format, row.size(), out);
  if (format.isPlain())
    return encodePlain(format, row, out.values);
  const GridCodec codec(format);
  for (size_t b = 0; b < out.scales.size(); ++b) {
    const int64_t start = format.blockStart(b);
    const std::span<const float> block = row.subspan(start, format.blockLength(row.size(), b));
    const Extent extent = extentOf(block);
    if (!extent.isFinite())
      return checkFinite(row);
    const Grid grid = codec.extremeGrid(block, extent);
    codec.encode(grid, block, &out.codes[start]);
    out.scales[b] = grid.scale;
    if (format.zeroPoint)
      out.zeros[b] = grid.zero;
  }
  return {};
}

void decodeRow(const Format &format, EncodedRowView row, std::span<float> out) {
  assertShape(format, out.size(), row);
  if (format.isPlain()) {
    std::ranges::copy(row.values, out.begin());
    return;
  }
  const GridCodec codec(format);
  for (size_t b = 0; b < row.scales.size(); ++b) {
    const int64_t start = format.blockStart(b), length = format.blockLength(out.size(), b);
    const Grid grid{row.scales[b], format.zeroPoint ? row.zeros[b] : uint8_t(0)};
    codec.decode(grid, row.codes.subspan(start, length), &out[start]);
  }
}

} // namespace halftone::formats
