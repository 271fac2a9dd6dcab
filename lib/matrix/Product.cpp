// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// General products.
#include "lib/matrix/Product.h"
#include "lib/matrix/OpenBlas.h"

#include <cassert>

namespace halftone::matrix {

static CBLAS_TRANSPOSE orientation(bool isTransposed) { return isTransposed ? CblasTrans : CblasNoTrans; }

/// result = alpha * a * b + beta * result, by `gemm`; OpenBLAS does not read a result that is multiplied with 0.
template <class T, class Gemm>
static void product(Gemm gemm, T alpha, Factor<T> a, Factor<T> b, T beta, MatrixView<T> result) {
  assert(a.rows() == result.rows && b.columns() == result.columns && a.columns() == b.rows());
  if (result.rows == 0 || result.columns == 0)
    return;
  gemm(CblasRowMajor, orientation(a.isTransposed), orientation(b.isTransposed), blasInt(result.rows),
       blasInt(result.columns), blasInt(a.columns()), alpha, a.matrix.data, blasInt(a.matrix.stride), b.matrix.data,
       blasInt(b.matrix.stride), beta, result.data, blasInt(result.stride));
}

void addProduct(MatrixView<float> sum, float alpha, Factor<float> a, Factor<float> b) {
  product(cblas_sgemm, alpha, a, b, 1.0f, sum);
}
void addProduct(MatrixView<double> sum, double alpha, Factor<double> a, Factor<double> b) {
  product(cblas_dgemm, alpha, a, b, 1.0, sum);
}
void setProduct(MatrixView<float> result, Factor<float> a, Factor<float> b) {
  product(cblas_sgemm, 1.0f, a, b, 0.0f, result);
}
void setProduct(MatrixView<double> result, Factor<double> a, Factor<double> b) {
  product(cblas_dgemm, 1.0, a, b, 0.0, result);
}

} // namespace halftone::matrix
