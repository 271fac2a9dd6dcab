// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Paley's matrices from squares of a prime field, and the fast transform.
#include "lib/quantize/Hadamard.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>
#include <random>

namespace halftone::quantize {

//===-- Cores -----------------------------------------------------------------------------------------------------===//

static bool isPrime(int64_t number) {
  if (number < 2)
    return false;
  for (int64_t factor = 2; factor * factor <= number; ++factor)
    if (number % factor == 0)
      return false;
  return true;
}

/// For each number below the odd prime `prime`: 0 for 0, 1 for squares modulo `prime`, else -1.
static std::vector<double> quadraticCharacter(int64_t prime) {
  std::vector<double> character(prime, -1);
  character[0] = 0;
  for (int64_t root = 1; root < prime; ++root)
    character[root * root % prime] = 1;
  return character;
}

/// [prime + 1, prime + 1]: 0 on the diagonal, otherwise 1 and -1; the product with its transpose is `prime` times the
/// identity. Symmetric when prime % 4 == 1, antisymmetric when it is 3 [Paley 1933].
static std::vector<double> conferenceMatrix(int64_t prime) {
  const std::vector<double> character = quadraticCharacter(prime);
  const int64_t order = prime + 1;
  std::vector<double> entries(order * order, 1);
  entries[0] = 0;
  for (int64_t row = 1; row < order; ++row) {
    entries[row * order] = prime % 4 == 1 ? 1 : -1;
    for (int64_t column = 1; column < order; ++column)
      entries[row * order + column] = character[(row - column + prime) % prime];
  }
  return entries;
}

/// Paley's first construction: I + C.
static std::vector<double> paleyFirst(int64_t order) {
  std::vector<double> entries = conferenceMatrix(order - 1);
  for (int64_t i = 0; i < order; ++i)
    entries[i * order + i] += 1;
  return entries;
}

/// Paley's second construction: C by Kronecker with [1 1; 1 -1], plus I with [1 -1; -1 -1].
static std::vector<double> paleySecond(int64_t order) {
  const int64_t half = order / 2;
  const std::vector<double> conference = conferenceMatrix(half - 1);
  std::vector<double> entries(order * order);
  for (int64_t row = 0; row < order; ++row)
    for (int64_t column = 0; column < order; ++column) {
      const bool oddRow = row % 2 != 0, oddColumn = column % 2 != 0, isDiagonal = row / 2 == column / 2;
      const double off = oddRow && oddColumn ? -1 : 1, on = oddRow || oddColumn ? -1 : 1;
      entries[row * order + column] = isDiagonal ? on : off * conference[row / 2 * half + column / 2];
    }
  return entries;
}

/// cos + sin of 2 pi row * column / order [Bracewell 1983].
static std::vector<double> hartley(int64_t order) {
  std::vector<double> entries(order * order);
  for (int64_t row = 0; row < order; ++row)
    for (int64_t column = 0; column < order; ++column) {
      const double angle =
          2 * std::numbers::pi * static_cast<double>(row * column % order) / static_cast<double>(order);
      entries[row * order + column] = std::cos(angle) + std::sin(angle);
    }
  return entries;
}

HadamardCore hadamardCore(int64_t size) {
  assert(size >= 1);
  const int64_t odd = size / (size & -size);
  if (odd == 1)
    return {};
  for (int64_t order = 4 * odd; order <= size; order *= 2) {
    if (isPrime(order - 1)) // 3 modulo 4
      return {order, paleyFirst(order)};
    if (isPrime(order / 2 - 1) && order / 2 % 4 == 2)
      return {order, paleySecond(order)};
  }
  return {odd, hartley(odd)};
}

//===-- The transform ---------------------------------------------------------------------------------------------===//

/// Vectors that are rotated side by side, so that the loops over them fill the processor's vectors.
static constexpr int64_t sideBySide = 16;

Rotation::Rotation(int64_t size, int64_t seed) : core(hadamardCore(size)), factors(size) {
  std::mt19937_64 random(static_cast<uint64_t>(seed));
  const double scale = 1 / std::sqrt(static_cast<double>(size));
  for (double &factor : factors)
    factor = random() % 2 != 0 ? -scale : scale;
}

/// Multiplies the vectors that are the columns of `values` [size, count] by Sylvester's matrix of order size / block,
/// whose entries stand for blocks of so many elements.
static void multiplyBySylvester(std::vector<double> &values, int64_t count, int64_t block) {
  const auto total = static_cast<int64_t>(values.size());
  for (int64_t half = block * count; half < total; half *= 2)
    for (int64_t start = 0; start < total; start += 2 * half) {
      double *low = values.data() + start, *high = low + half;
      for (int64_t i = 0; i < half; ++i) {
        const double sum = low[i] + high[i], difference = low[i] - high[i];
        low[i] = sum;
        high[i] = difference;
      }
    }
}

void Rotation::multiplyByCore(std::vector<double> &values, int64_t count) const {
  if (core.order == 1)
    return;
  std::vector<double> block(core.order * count);
  for (auto start = values.begin(); start != values.end(); start += core.order * count) {
    std::copy_n(start, core.order * count, block.begin());
    std::fill_n(start, core.order * count, 0);
    for (int64_t from = 0; from < core.order; ++from)
      for (int64_t to = 0; to < core.order; ++to)
        for (int64_t i = 0; i < count; ++i)
          start[to * count + i] += block[from * count + i] * core.entries[from * core.order + to];
  }
}

void Rotation::rotate(const Vectors &vectors) const {
  std::vector<double> values(size() * vectors.count);
  for (int64_t element = 0; element < size(); ++element)
    for (int64_t i = 0; i < vectors.count; ++i)
      values[element * vectors.count + i] =
          vectors.first[element * vectors.stride + i * vectors.next] * factors[element];
  multiplyByCore(values, vectors.count);
  multiplyBySylvester(values, vectors.count, core.order);
  for (int64_t element = 0; element < size(); ++element)
    for (int64_t i = 0; i < vectors.count; ++i)
      vectors.first[element * vectors.stride + i * vectors.next] =
          static_cast<float>(values[element * vectors.count + i]);
}

void Rotation::rotateColumns(matrix::MatrixView<float> matrix) const {
  assert(matrix.columns % size() == 0);
  for (int64_t row = 0; row < matrix.rows; row += sideBySide)
    for (int64_t column = 0; column < matrix.columns; column += size())
      rotate({&matrix(row, column), 1, matrix.stride, std::min(sideBySide, matrix.rows - row)});
}

void Rotation::rotateRows(matrix::MatrixView<float> matrix) const {
  assert(matrix.rows % size() == 0);
  for (int64_t column = 0; column < matrix.columns; column += sideBySide)
    for (int64_t row = 0; row < matrix.rows; row += size())
      rotate({&matrix(row, column), matrix.stride, 1, std::min(sideBySide, matrix.columns - column)});
}

} // namespace halftone::quantize
