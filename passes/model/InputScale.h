// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// AWQ for the linears of any graph: factors for the columns of all weights that multiply the same inputs.
#pragma once

#include "lib/calibrate/Statistics.h"
#include "lib/formats/Format.h"

namespace halftone {

/// A weight that is tried, [rows, columns], and the format it will have.
struct ScaledWeight {
  matrix::MatrixView<const float> values;
  formats::Format format;
};

/// The factors mean|x|^alpha with the least error of what the linears give, sum of tr(dW H dW^T), dW what rounding to
/// nearest loses of the weights; among `steps` powers alpha = 0, 1 / steps, ... [Lin et al. 2023, eq. 5]. As the model
/// can hold them: 1 / factor is a number of `stored`. Of equal errors the lowest power's.
/// \param statistics of the inputs, Hessian and magnitudes. \returns an error naming row and column of a weight that is
/// NaN or infinite.
Expected<std::vector<float>> chooseInputScale(std::span<const ScaledWeight> weights,
                                              const calibrate::Statistics &statistics, formats::Scalar stored,
                                              const matrix::ParallelFor &parallelFor);

} // namespace halftone
