// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A^T B of samples: how two sets of columns vary together.
#pragma once

#include "lib/matrix/MatrixView.h"
#include "lib/matrix/Parallel.h"

namespace halftone::matrix {

/// Adds first^T * second to `sum`. f32 products over 512 samples at a time, summed in f64; the bytes depend on the
/// samples of each call, not on threads.
/// \param first [samples, rows]; \param second [samples, columns]; \param sum [rows, columns].
void addCross(MatrixView<const float> first, MatrixView<const float> second, MatrixView<double> sum,
              const ParallelFor &parallelFor);

} // namespace halftone::matrix
