// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Columns are summed token after token, in f64, each by one thread; products are cut into panels that do not depend on
// the chunks.
#include "lib/calibrate/Statistics.h"

#include "lib/matrix/Gram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace halftone::calibrate {

std::vector<std::string_view> names(Gather set) {
  std::vector<std::string_view> result;
  for (const auto &[part, name] :
       {std::pair(Gather::hessian, "hessian"), {Gather::magnitude, "magnitude"}, {Gather::range, "range"}})
    if (has(set, part))
      result.push_back(name);
  return result;
}

std::string describe(Gather set) {
  std::string text;
  for (std::string_view name : names(set))
    text += (text.empty() ? "" : ", ") + std::string(name);
  return text.empty() ? "nothing" : text;
}

Gather Statistics::gathered() const {
  return (hessian.empty() ? Gather::nothing : Gather::hessian) |
         (meanAbs.empty() ? Gather::nothing : Gather::magnitude) | (lowest.empty() ? Gather::nothing : Gather::range);
}

float Statistics::largest() const {
  float result = 0;
  for (size_t column = 0; column < lowest.size(); ++column)
    result = std::max({result, -lowest[column], highest[column]});
  return result;
}

Accumulator::Accumulator(int64_t columns, Gather gather, ParallelFor parallelFor)
    : gather(gather), parallelFor(std::move(parallelFor)) {
  result.columns = columns;
  result.seen.resize(columns);
  if (has(gather, Gather::hessian))
    result.hessian.resize(columns * columns);
  if (has(gather, Gather::magnitude)) {
    sumAbs.resize(columns);
    sumSquare.resize(columns);
  }
  if (has(gather, Gather::range)) {
    result.lowest.resize(columns, std::numeric_limits<float>::infinity());
    result.highest.resize(columns, -std::numeric_limits<float>::infinity());
  }
}

//===-- Values that are no numbers --------------------------------------------------------------------------------===//

/// The magnitude of an f32 as an integer, in the same order; from infinity's on they are no finite numbers.
static uint32_t magnitude(float value) { return std::bit_cast<uint32_t>(value) & 0x7fffffff; }
static constexpr uint32_t infinity = 0x7f800000;

static bool isFinite(std::span<const float> row) {
  uint32_t largest = 0;
  for (const float value : row)
    largest = std::max(largest, magnitude(value));
  return largest < infinity;
}

/// The first token that has a value that is no finite number; their count when none has.
static int64_t findNotFinite(matrix::MatrixView<const float> tokens, const ParallelFor &parallelFor) {
  constexpr int64_t group = 64; // tokens of one piece of work
  std::vector<int64_t> found((tokens.rows + group - 1) / group, tokens.rows);
  parallelFor(static_cast<int64_t>(found.size()), [&](int64_t index) {
    const int64_t end = std::min(tokens.rows, (index + 1) * group);
    for (int64_t token = index * group; token < end && found[index] == tokens.rows; ++token)
      if (!isFinite(tokens.row(token)))
        found[index] = token;
  });
  return found.empty() ? 0 : std::ranges::min(found);
}

static Error notFinite(std::span<const float> row, int64_t token, int64_t sequence) {
  const auto value = std::ranges::find_if(row, [](float value) { return magnitude(value) >= infinity; });
  return Error{"token " + std::to_string(token) + " of sequence " + std::to_string(sequence) + ": column " +
               std::to_string(value - row.begin()) + (std::isnan(*value) ? " is NaN" : " is infinite")};
}

//===-- All of it -------------------------------------------------------------------------------------------------===//

Status Accumulator::add(const Chunk &chunk) {
  const Rows tokens(chunk.values, chunk.tokens, result.columns, chunk.stride);
  if (const int64_t bad = findNotFinite(tokens, parallelFor); bad < chunk.tokens)
    return notFinite(tokens.row(bad), chunk.firstToken + bad, chunk.sequence);
  addColumns(tokens);
  if (has(gather, Gather::hessian))
    addToHessian(tokens);
  result.tokens += chunk.tokens;
  return {};
}

Statistics Accumulator::finish() {
  if (has(gather, Gather::hessian))
    finishHessian();
  if (has(gather, Gather::magnitude))
    finishMagnitude();
  if (result.tokens == 0) {
    std::ranges::fill(result.lowest, 0);
    std::ranges::fill(result.highest, 0);
  }
  return std::move(result);
}

//===-- Sums by column --------------------------------------------------------------------------------------------===//

/// A piece of work: as many columns as a few cache lines hold.
static constexpr int64_t columnsAtOnce = 128;

void Accumulator::addColumns(Rows tokens) {
  parallelFor((tokens.columns + columnsAtOnce - 1) / columnsAtOnce, [&](int64_t index) {
    const int64_t begin = index * columnsAtOnce, end = std::min(tokens.columns, begin + columnsAtOnce);
    for (int64_t token = 0; token < tokens.rows; ++token)
      addToken(tokens.row(token), begin, end);
  });
}

/// The columns begin .. end - 1 of one token.
void Accumulator::addToken(std::span<const float> x, int64_t begin, int64_t end) {
  for (int64_t column = begin; column < end; ++column)
    result.seen[column] += x[column] != 0;
  if (has(gather, Gather::magnitude))
    for (int64_t column = begin; column < end; ++column) {
      const double value = x[column];
      sumAbs[column] += std::abs(value);
      sumSquare[column] += value * value;
    }
  if (has(gather, Gather::range))
    for (int64_t column = begin; column < end; ++column) {
      result.lowest[column] = std::min(result.lowest[column], x[column]);
      result.highest[column] = std::max(result.highest[column], x[column]);
    }
}

void Accumulator::finishMagnitude() {
  const auto count = static_cast<double>(std::max<int64_t>(result.tokens, 1));
  const auto mean = [&](double sum) { return static_cast<float>(sum / count); };
  result.meanAbs.resize(result.columns);
  result.meanSquare.resize(result.columns);
  std::ranges::transform(sumAbs, result.meanAbs.begin(), mean);
  std::ranges::transform(sumSquare, result.meanSquare.begin(), mean);
}

//===-- Hessian ---------------------------------------------------------------------------------------------------===//

/// Full panels are added from where they lie; what fills none waits for the next ones.
void Accumulator::addToHessian(Rows tokens) {
  const int64_t taken = panel.empty() ? 0 : fillPanel(tokens);
  const int64_t whole = (tokens.rows - taken) / panelTokens * panelTokens;
  addGram(tokens.block(taken, 0, whole, tokens.columns));
  fillPanel(tokens.block(taken + whole, 0, tokens.rows - taken - whole, tokens.columns));
}

/// Copies the first of `tokens` to the panel, as many as it has room for, and adds the panel when it is full. Returns
/// how many.
int64_t Accumulator::fillPanel(Rows tokens) {
  panel.reserve(panelTokens * result.columns);
  const int64_t room = panelTokens - static_cast<int64_t>(panel.size()) / result.columns;
  const int64_t count = std::min(tokens.rows, room);
  for (int64_t token = 0; token < count; ++token)
    panel.insert(panel.end(), tokens.row(token).begin(), tokens.row(token).end());
  if (count == room)
    addPanel();
  return count;
}

void Accumulator::addPanel() {
  addGram({panel.data(), static_cast<int64_t>(panel.size()) / result.columns, result.columns});
  panel.clear();
}

void Accumulator::addGram(Rows tokens) {
  if (tokens.rows > 0)
    matrix::addGram(tokens, {result.hessian.data(), result.columns, result.columns}, parallelFor);
}

/// Scales the lower triangle and copies it into the upper one, in squares so that both fit into a cache.
void Accumulator::finishHessian() {
  addPanel();
  constexpr int64_t width = 64;
  const double scale = 2.0 / static_cast<double>(std::max<int64_t>(result.tokens, 1));
  const int64_t columns = result.columns;
  double *h = result.hessian.data();
  parallelFor((columns + width - 1) / width, [&](int64_t index) {
    const int64_t first = index * width, last = std::min(columns, first + width);
    for (int64_t start = 0; start <= first; start += width)
      for (int64_t row = first; row < last; ++row)
        for (int64_t column = start; column < std::min(row + 1, start + width); ++column)
          h[column * columns + row] = h[row * columns + column] *= scale;
  });
}

} // namespace halftone::calibrate
