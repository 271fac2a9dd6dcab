// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The Cholesky factor of an inverse, in place: n^3 / 3 operations for the factor and as many for its inverse, where
// factor, inverse and factor of the inverse would take 4/3 n^3 and lose digits twice.
#pragma once

#include "lib/matrix/MatrixView.h"
#include "lib/matrix/Parallel.h"

#include <optional>

namespace halftone::matrix {

/// Replaces A, symmetric and positive definite, by the upper triangular U with A^-1 = U^T U, which is unique. Of the
/// square only the upper triangle, diagonal included, is read and written. LAPACK on fixed tiles, all f64; beside the
/// matrix it needs the memory of one row of tiles, 256 * n.
/// \returns the column at which A turned out not to be positive definite, when it is not (NaN counts as that); the
/// upper triangle is then spoilt. Columns are eliminated from the last to the first.
std::optional<int64_t> invertIntoFactor(MatrixView<double> upper, const ParallelFor &parallelFor);

} // namespace halftone::matrix
