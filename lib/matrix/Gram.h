// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// X^T X, the sum from which Hessians are made, and what it weighs errors with.
#pragma once

#include "lib/matrix/MatrixView.h"
#include "lib/matrix/Parallel.h"

namespace halftone::matrix {

/// Adds samples^T * samples to the lower triangle of `sum`, its diagonal included; the upper one is neither read nor
/// written. Products are f32 over 512 samples at a time, |error| <= 512 * 2^-24 * sum |x_i x_j| of these; their sum is
/// f64. The bytes depend on the samples of each call, not on threads: give them in calls of multiples of 512 and they
/// do not depend on how they were split either.
/// \param samples [samples, columns]; \param sum [columns, columns].
void addGram(MatrixView<const float> samples, MatrixView<double> sum, const ParallelFor &parallelFor);

/// tr(W S W^T) = the sum over the rows w of W of w S w^T, for a symmetric S of which only the lower triangle is read.
/// With S = X^T X this is ||X W^T||^2: what an error W of the weights does to the outputs. f32 products, f64 sums.
/// \param rows [rows, columns]; \param lower [columns, columns].
double weightedNorm(MatrixView<const float> rows, MatrixView<const double> lower, const ParallelFor &parallelFor);

} // namespace halftone::matrix
