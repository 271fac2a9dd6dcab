// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Factors for the columns of a linear's weights, whose inputs are divided by them: AWQ's and SmoothQuant's.
#pragma once

#include "lib/formats/Format.h"
#include "lib/matrix/MatrixView.h"
#include "lib/matrix/Parallel.h"

#include <span>
#include <vector>

namespace halftone::quantize {

/// mean|x| ^ alpha of each column [Lin et al. 2023, eq. 5], at least 1e-4, divided by the root of the product of the
/// largest and the smallest, so that these become each other's inverses.
std::vector<float> activationScale(std::span<const float> meanAbs, double alpha);

/// max|x| ^ alpha / max|w| ^ (1 - alpha) of each column [Xiao et al. 2022, eq. 4]; 1 where either is 0 or a weight
/// infinite.
std::vector<float> smoothingScale(std::span<const float> largestInput, std::span<const float> largestWeight,
                                  double alpha);

/// What a linear computes with whose columns were multiplied by `scale` before they were rounded to the nearest values
/// of `format`, and whose inputs are divided by it.
/// \param weights, result [rows, columns]; \returns an error naming row and column of a weight that is NaN or infinite.
Status roundScaled(const formats::Format &format, matrix::MatrixView<const float> weights, std::span<const float> scale,
                   matrix::MatrixView<float> result, const matrix::ParallelFor &parallelFor);

} // namespace halftone::quantize
