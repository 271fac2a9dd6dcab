// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Random rotations that cost n log n: signs, then a Hadamard matrix.
#pragma once

#include "lib/matrix/MatrixView.h"

#include <cstdint>
#include <vector>

namespace halftone::quantize {

/// The part of a Hadamard matrix that is no power of two.
struct HadamardCore {
  int64_t order = 1;
  /// [order, order], row after row: the product with its transpose is `order` times the identity.
  std::vector<double> entries = {1};
};

/// The core of `size`: the smallest Hadamard matrix of Paley's [1933], of an order that is `size` over a power of two;
/// where he has none, the Hartley transform of the odd part of `size`, whose entries are at most sqrt(2).
HadamardCore hadamardCore(int64_t size);

/// The orthogonal matrix Q = diag(s) H / sqrt(size) [Ashkboos et al. 2024, section 3]: H is Sylvester's matrix times,
/// by Kronecker, the core of `size`; s are random signs. Sums are in f64, each result is rounded once.
class Rotation {
public:
  /// \param size at least 1. \param seed decides s, the same on every machine.
  Rotation(int64_t size, int64_t seed);

  int64_t size() const { return static_cast<int64_t>(factors.size()); }

  /// Multiplies each row by blocks of Q: columns [i * size, (i + 1) * size) are a row vector times Q.
  /// \param matrix its columns are a multiple of size.
  void rotateColumns(matrix::MatrixView<float> matrix) const;

  /// The same with columns for rows: their rows [i * size, (i + 1) * size) are a row vector times Q.
  void rotateRows(matrix::MatrixView<float> matrix) const;

private:
  /// `count` vectors of `size` values, `next` apart, whose elements are `stride` apart.
  struct Vectors {
    float *first;
    int64_t stride, next, count;
  };
  void rotate(const Vectors &vectors) const;
  void multiplyByCore(std::vector<double> &values, int64_t count) const;

  HadamardCore core;
  std::vector<double> factors; ///< s / sqrt(size)
};

} // namespace halftone::quantize
