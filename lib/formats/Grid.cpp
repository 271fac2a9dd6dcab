// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Grids from extremes, and rounding to the values of a grid.
#include "lib/formats/Grid.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace halftone::formats {

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

GridCodec::GridCodec(const Format &format) : description(format) {
  assert(!format.isPlain() && "a plain format has no grid");
  if (format.code.kind != Code::Kind::Codebook)
    return;
  const std::span<const int8_t> levels = format.code.codebook->levels;
  std::vector<int8_t> distinct(levels.begin(), levels.end());
  std::ranges::sort(distinct);
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  for (int8_t level : distinct)
    ascending.push_back(nearestLevel(levels, level));
  for (size_t i = 0; i + 1 < distinct.size(); ++i) {
    const float middle = static_cast<float>(distinct[i] + distinct[i + 1]) / 2;
    const bool isUpper = nearestLevel(levels, middle) == ascending[i + 1];
    thresholds.push_back(isUpper ? std::nextafter(middle, -std::numeric_limits<float>::infinity()) : middle);
  }
}

Grid GridCodec::storedGrid(float scale, int zero) const {
  const float stored = saturateTo(description.scale, scale);
  return {stored == 0 ? 0.0f : stored, static_cast<uint8_t>(zero)};
}

/// What the lowest and the highest level stand for at a scale of 1.
static Extent endsOf(const Code &code) {
  if (code.kind == Code::Kind::Codebook)
    return {static_cast<float>(code.codebook->lowest()) * code.codebook->unit,
            static_cast<float>(code.codebook->highest()) * code.codebook->unit};
  const auto half = static_cast<float>(code.zeroLevel());
  return {code.isBalanced() ? 1 - half : -half, half - 1};
}

/// The value of largest magnitude with its sign; of two that differ in sign only, the first.
static float signedLargest(std::span<const float> block, Extent extent) {
  if (extent.highest != -extent.lowest)
    return extent.highest > -extent.lowest ? extent.highest : extent.lowest;
  return *std::ranges::find_if(block, [&](float value) { return std::fabs(value) == extent.highest; });
}

static float zeroPointScale(int steps, Extent extent) {
  const float range = extent.highest - extent.lowest;
  // The range of a block of huge values may not fit into f32 although its scale does.
  return std::isfinite(range) ? range / steps : extent.highest / steps - extent.lowest / steps;
}

/// The zero is rounded with the scale as it is stored.
static Grid zeroPointGrid(const GridCodec &codec, Extent extent) {
  const int steps = codec.format().code.maxCode();
  const Grid grid = codec.storedGrid(zeroPointScale(steps, extent));
  return grid.scale == 0 ? grid : codec.storedGrid(grid.scale, roundWithin(-extent.lowest / grid.scale, 0, steps));
}

Grid GridCodec::gridOver(Extent extent, bool isTurned) const {
  if (description.zeroPoint)
    return zeroPointGrid(*this, extent);
  const Extent ends = endsOf(description.code);
  return isTurned ? storedGrid(std::min(extent.highest / ends.lowest, extent.lowest / ends.highest))
                  : storedGrid(std::max(extent.highest / ends.highest, extent.lowest / ends.lowest));
}

Grid GridCodec::extremeGrid(std::span<const float> block, Extent extent) const {
  if (description.zeroPoint)
    return zeroPointGrid(*this, extent);
  const Extent ends = endsOf(description.code);
  if (ends.lowest == -ends.highest)
    return storedGrid(extent.largestMagnitude() / ends.highest);
  return storedGrid(signedLargest(block, extent) / (-ends.lowest > ends.highest ? ends.lowest : ends.highest));
}

GridCodec::Range GridCodec::rangeOf(const Grid &grid) const {
  const Code &code = description.code;
  if (description.zeroPoint)
    return {grid.zero, -grid.zero, code.maxCode() - grid.zero};
  const int half = code.zeroLevel();
  return {half, code.isBalanced() ? 1 - half : -half, half - 1};
}

void GridCodec::encodeOnLevels(float step, std::span<const float> values, uint8_t *codes) const {
  // Some values at a time are held against one threshold after the other: vector code, where a search for each is not.
  constexpr size_t together = 16;
  for (size_t first = 0; first < values.size(); first += together) {
    const size_t count = std::min(together, values.size() - first);
    float scaled[together] = {};
    int32_t ranks[together] = {};
    for (size_t i = 0; i < count && step != 0; ++i)
      scaled[i] = values[first + i] / step;
    for (float threshold : thresholds)
      for (size_t i = 0; i < together; ++i)
        ranks[i] += scaled[i] > threshold;
    for (size_t i = 0; i < count; ++i)
      codes[first + i] = ascending[ranks[i]];
  }
}

void GridCodec::encode(const Grid &grid, std::span<const float> values, uint8_t *codes) const {
  const float step = description.step(grid.scale);
  if (description.code.kind == Code::Kind::Codebook)
    return encodeOnLevels(step, values, codes);
  const Range range = rangeOf(grid);
  if (step == 0) {
    std::fill_n(codes, values.size(), static_cast<uint8_t>(range.zero));
    return;
  }
  const float lowest = range.lowest, highest = range.highest;
  for (size_t i = 0; i < values.size(); ++i)
    codes[i] = static_cast<uint8_t>(roundWithin(values[i] / step, lowest, highest) + range.zero);
}

void GridCodec::decode(const Grid &grid, std::span<const uint8_t> codes, float *values) const {
  const float step = description.step(grid.scale);
  if (description.code.kind == Code::Kind::Codebook) {
    const std::span<const int8_t> levels = description.code.codebook->levels;
    for (size_t i = 0; i < codes.size(); ++i)
      values[i] = static_cast<float>(levels[codes[i]]) * step;
    return;
  }
  const int32_t zero = rangeOf(grid).zero;
  for (size_t i = 0; i < codes.size(); ++i)
    values[i] = static_cast<float>(codes[i] - zero) * step;
}

uint8_t GridCodec::encode(const Grid &grid, float value) const {
  uint8_t code;
  encode(grid, {&value, 1}, &code);
  return code;
}

float GridCodec::decode(const Grid &grid, uint8_t code) const {
  float value;
  decode(grid, {&code, 1}, &value);
  return value;
}

} // namespace halftone::formats
