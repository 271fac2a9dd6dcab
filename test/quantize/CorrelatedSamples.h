// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Inputs of a linear layer whose columns are correlated and of different sizes, as those of language models are.
#pragma once

#include "lib/matrix/Gram.h"
#include "test/matrix/RandomMatrix.h"

#include <cmath>

namespace halftone::quantize {

inline matrix::OwnedMatrix<float> correlatedSamples(int64_t samples, int64_t columns, unsigned seed) {
  matrix::OwnedMatrix<float> x = matrix::randomMatrix(samples, columns, seed);
  for (int64_t i = 0; i < samples; ++i)
    for (int64_t j = 1; j < columns; ++j) {
      x(i, j) = 0.8f * x(i, j - 1) + 0.6f * x(i, j);
      x(i, j - 1) *= 1 + 3 * std::fabs(std::sin(static_cast<float>(j)));
    }
  return x;
}

/// 2/n X^T X in the lower triangle; the upper one holds NaN, which nobody may read.
inline matrix::OwnedMatrix<double> hessianOf(const matrix::OwnedMatrix<float> &x) {
  matrix::OwnedMatrix<double> hessian(x.columns, x.columns);
  matrix::addGram(x.view(), hessian.view(), matrix::serially);
  for (int64_t i = 0; i < x.columns; ++i)
    for (int64_t j = 0; j < x.columns; ++j)
      hessian(i, j) = j > i ? NAN : hessian(i, j) * 2 / static_cast<double>(x.rows);
  return hessian;
}

} // namespace halftone::quantize
