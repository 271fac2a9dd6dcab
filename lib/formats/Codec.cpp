// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One encoder and one decoder per kind of element; everything else is parameters of the format.
#include "lib/formats/Codec.h"
#include "lib/formats/Rounding.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace halftone::formats {

/// The evenly spaced values of a block: (code - zero) * scale for lowest <= code - zero <= highest.
namespace {
struct Grid {
  float scale = 0;
  int zero = 0;
  int lowest = 0;
  int highest = 0;
};
} // namespace

/// Rounds a scale to its stored type; what vanishes becomes +0 whatever its sign.
static float storedScale(const Format &format, float scale) {
  const float stored = saturateTo(format.scale, scale);
  return stored == 0 ? 0.0f : stored;
}

/// The value of largest magnitude with its sign; of two that differ in sign only, the first.
static float signedLargest(std::span<const float> block, Extent extent) {
  if (extent.highest != -extent.lowest)
    return extent.highest > -extent.lowest ? extent.highest : extent.lowest;
  return *std::ranges::find_if(block, [&](float value) { return std::fabs(value) == extent.highest; });
}

static Grid symmetricGrid(const Format &format, std::span<const float> block, Extent extent) {
  const int half = format.code.zeroLevel();
  if (format.code.isBalanced())
    return {storedScale(format, extent.largestMagnitude() / (half - 1)), half, 1 - half, half - 1};
  return {storedScale(format, signedLargest(block, extent) / -half), half, -half, half - 1};
}

static Grid zeroPointGrid(const Format &format, Extent extent) {
  const int steps = format.code.maxCode();
  const float range = extent.highest - extent.lowest;
  // The range of a block of huge values may not fit into f32 although its scale does.
  const float scale = std::isfinite(range) ? range / steps : extent.highest / steps - extent.lowest / steps;
  Grid grid{.scale = storedScale(format, scale)};
  if (grid.scale != 0)
    grid.zero = roundWithin(-extent.lowest / grid.scale, 0, steps);
  grid.lowest = -grid.zero;
  grid.highest = steps - grid.zero;
  return grid;
}

static void encodeOnGrid(std::span<const float> block, const Grid &grid, uint8_t *codes) {
  if (grid.scale == 0) {
    std::fill_n(codes, block.size(), static_cast<uint8_t>(grid.zero));
    return;
  }
  const float scale = grid.scale, lowest = grid.lowest, highest = grid.highest;
  const int32_t zero = grid.zero;
  for (size_t i = 0; i < block.size(); ++i)
    codes[i] = static_cast<uint8_t>(roundWithin(block[i] / scale, lowest, highest) + zero);
}

/// The code of the level nearest to `value`; of two equally near, an even code.
static uint8_t nearestLevel(std::span<const int8_t> levels, float value) {
  size_t best = 0;
  for (size_t code = 1; code < levels.size(); ++code) {
    const float distance = std::fabs(value - static_cast<float>(levels[code]));
    const float bestDistance = std::fabs(value - static_cast<float>(levels[best]));
    if (distance < bestDistance || (distance == bestDistance && best % 2 == 1 && code % 2 == 0))
      best = code;
  }
  return static_cast<uint8_t>(best);
}

/// \returns the scale.
static float encodeOnLevels(const Format &format, std::span<const float> block, Extent extent, uint8_t *codes) {
  const Codebook &book = *format.code.codebook;
  const bool mirrored = book.lowest() == -book.highest();
  const int furthest = -book.lowest() > book.highest() ? book.lowest() : book.highest();
  const float largest = mirrored ? extent.largestMagnitude() : signedLargest(block, extent);
  const float scale = storedScale(format, largest / (static_cast<float>(furthest) * book.unit));
  const float step = format.step(scale);
  for (size_t i = 0; i < block.size(); ++i)
    codes[i] = nearestLevel(book.levels, step == 0 ? 0.0f : block[i] / step);
  return scale;
}

static Error notFinite(std::span<const float> row, size_t from) {
  while (std::isfinite(row[from]))
    ++from;
  const char *value = std::isnan(row[from]) ? "nan" : row[from] > 0 ? "inf" : "-inf";
  return {"column " + std::to_string(from) + " is " + value};
}

static Status encodePlain(const Format &format, std::span<const float> row, std::span<float> values) {
  if (!extentOf(row).isFinite())
    return notFinite(row, 0);
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
  for (size_t b = 0; b < out.scales.size(); ++b) {
    const int64_t start = format.blockStart(b);
    const std::span<const float> block = row.subspan(start, format.blockLength(row.size(), b));
    const Extent extent = extentOf(block);
    if (!extent.isFinite())
      return notFinite(row, start);
    if (format.code.kind == Code::Kind::Codebook) {
      out.scales[b] = encodeOnLevels(format, block, extent, &out.codes[start]);
      continue;
    }
    const Grid grid = format.zeroPoint ? zeroPointGrid(format, extent) : symmetricGrid(format, block, extent);
    encodeOnGrid(block, grid, &out.codes[start]);
    out.scales[b] = grid.scale;
    if (format.zeroPoint)
      out.zeros[b] = static_cast<uint8_t>(grid.zero);
  }
  return {};
}

void decodeRow(const Format &format, EncodedRowView row, std::span<float> out) {
  assertShape(format, out.size(), row);
  if (format.isPlain()) {
    std::ranges::copy(row.values, out.begin());
    return;
  }
  for (size_t b = 0; b < row.scales.size(); ++b) {
    const size_t start = format.blockStart(b), end = start + format.blockLength(out.size(), b);
    const float step = format.step(row.scales[b]);
    const int32_t zero = format.zeroPoint ? row.zeros[b] : format.code.zeroLevel();
    if (format.code.kind == Code::Kind::Codebook)
      for (size_t i = start; i < end; ++i)
        out[i] = static_cast<float>(format.code.codebook->levels[row.codes[i]]) * step;
    else
      for (size_t i = start; i < end; ++i)
        out[i] = static_cast<float>(row.codes[i] - zero) * step;
  }
}

} // namespace halftone::formats
