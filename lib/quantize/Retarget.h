// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Asymmetric calibration: quantizing towards what the unquantized model computes, not towards what the weights would
// compute from inputs that are off already [Li et al. 2025, GPTAQ, arXiv 2504.02692].
#pragma once

#include "lib/quantize/HessianFactor.h"

namespace halftone::quantize {

/// Replaces W by the weights that, of the inputs x as they are now, come closest to what W makes of x~, and to the
/// residual's drift: W + (W D + E) (H + damping)^-1, D = 2/n sum (x~ - x) x^T, E = 2/n sum (r~ - r) x^T. f32 products.
/// GPTQ then rounds these.
/// \param weights [rows, columns]; \param input D [columns, columns]; \param residual E [rows, columns], or of no rows.
void retarget(matrix::MatrixView<float> weights, matrix::MatrixView<const double> input,
              matrix::MatrixView<const double> residual, const HessianFactor &factor,
              const matrix::ParallelFor &parallelFor);

} // namespace halftone::quantize
