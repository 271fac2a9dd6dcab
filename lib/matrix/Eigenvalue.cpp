// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Power iteration.
#include "lib/matrix/Eigenvalue.h"
#include "lib/matrix/OpenBlas.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace halftone::matrix {

static constexpr int steps = 8;

/// Divides `vector` by its norm, which is returned.
static double normalize(std::vector<double> &vector) {
  const double norm = cblas_dnrm2(blasInt(vector.size()), vector.data(), 1);
  if (norm > 0)
    cblas_dscal(blasInt(vector.size()), 1 / norm, vector.data(), 1);
  return norm;
}

template <class Apply> static double iterate(int64_t size, Apply apply) {
  std::vector<double> vector(size);
  std::mt19937 random; // the numbers of its default seed are part of the C++ standard
  std::ranges::generate(vector, [&] { return static_cast<double>(random()) - 0x1p31; });
  normalize(vector);
  double norm = 0;
  for (int step = 0; step < steps; ++step) {
    apply(vector);
    norm = normalize(vector);
  }
  return norm;
}

double largestEigenvalue(MatrixView<const double> lower) {
  const int size = blasInt(lower.rows);
  std::vector<double> image(size);
  return iterate(size, [&](std::vector<double> &vector) {
    cblas_dsymv(CblasRowMajor, CblasLower, size, 1, lower.data, blasInt(lower.stride), vector.data(), 1, 0,
                image.data(), 1);
    std::swap(vector, image);
  });
}

double largestEigenvalueOfSquare(MatrixView<const double> upper) {
  const int size = blasInt(upper.rows), stride = blasInt(upper.stride);
  return iterate(size, [&](std::vector<double> &vector) {
    for (const CBLAS_TRANSPOSE orientation : {CblasNoTrans, CblasTrans})
      cblas_dtrmv(CblasRowMajor, CblasUpper, orientation, CblasNonUnit, size, upper.data, stride, vector.data(), 1);
  });
}

} // namespace halftone::matrix
