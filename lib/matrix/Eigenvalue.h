// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The largest eigenvalue of symmetric matrices that are given by a triangle, estimated from below.
#pragma once

#include "lib/matrix/MatrixView.h"

namespace halftone::matrix {

/// Of a positive semidefinite matrix whose lower triangle is read, by power iteration from a fixed random vector: 8
/// steps, enough for the order of magnitude of a condition number.
double largestEigenvalue(MatrixView<const double> lower);

/// The same of U^T U, of whose U the upper triangle is read.
double largestEigenvalueOfSquare(MatrixView<const double> upper);

} // namespace halftone::matrix
