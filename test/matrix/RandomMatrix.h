// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Matrices of normally distributed numbers, the same for the same seed.
#pragma once

#include "lib/matrix/MatrixView.h"

#include <random>
#include <vector>

namespace halftone::matrix {

/// A matrix that owns its memory, 0 at first.
template <class T> struct OwnedMatrix {
  int64_t rows, columns;
  std::vector<T> memory;

  OwnedMatrix(int64_t rows, int64_t columns) : rows(rows), columns(columns), memory(rows * columns) {}

  T &operator()(int64_t row, int64_t column) { return memory[row * columns + column]; }
  T operator()(int64_t row, int64_t column) const { return memory[row * columns + column]; }
  MatrixView<T> view() { return {memory.data(), rows, columns}; }
  MatrixView<const T> view() const { return {memory.data(), rows, columns}; }
  MatrixView<const T> constView() const { return view(); }
};

inline OwnedMatrix<float> randomMatrix(int64_t rows, int64_t columns, unsigned seed) {
  OwnedMatrix<float> matrix(rows, columns);
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  for (float &value : matrix.memory)
    value = normal(random);
  return matrix;
}

} // namespace halftone::matrix
