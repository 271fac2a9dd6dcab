// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products of matrices by OpenBLAS, one thread a call: the same operands give the same bytes whoever else computes at
// the time. Cutting a product into pieces for several threads is the caller's business.
#pragma once

#include "lib/matrix/MatrixView.h"

namespace halftone::matrix {

/// A factor of a product, as it lies in memory or transposed.
template <class T> struct Factor {
  MatrixView<const T> matrix;
  bool isTransposed = false;

  Factor(MatrixView<const T> matrix, bool isTransposed = false) : matrix(matrix), isTransposed(isTransposed) {}
  Factor(MatrixView<T> matrix) : matrix(matrix) {}

  int64_t rows() const { return isTransposed ? matrix.columns : matrix.rows; }
  int64_t columns() const { return isTransposed ? matrix.rows : matrix.columns; }
};

template <class T> Factor<std::remove_const_t<T>> transposed(MatrixView<T> matrix) { return {matrix, true}; }

/// sum += alpha * a * b. `sum` overlaps neither factor.
void addProduct(MatrixView<float> sum, float alpha, Factor<float> a, Factor<float> b);
void addProduct(MatrixView<double> sum, double alpha, Factor<double> a, Factor<double> b);

/// product = a * b; whatever `product` held, NaN even, is gone.
void setProduct(MatrixView<float> product, Factor<float> a, Factor<float> b);
void setProduct(MatrixView<double> product, Factor<double> a, Factor<double> b);

} // namespace halftone::matrix
