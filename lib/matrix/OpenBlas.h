// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What every file that calls OpenBLAS includes. Its functions count in int, and run on the caller's thread alone.
#pragma once

#include <cblas.h>
#include <cstdint>

// LAPACK, as Fortran calls it: matrices are column-major, so that a row-major one is read as its transposed and its
// upper triangle as the lower one.
extern "C" {
void dpotrf_(const char *triangle, const int *order, double *matrix, const int *stride, int *info);
void dtrtri_(const char *triangle, const char *diagonal, const int *order, double *matrix, const int *stride,
             int *info);
}

namespace halftone::matrix {

/// A size or a stride as OpenBLAS takes it.
int blasInt(int64_t value);

} // namespace halftone::matrix
