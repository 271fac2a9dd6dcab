// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Round to nearest on grids that are searched with the importance of each column: llama.cpp's importance matrix.
#pragma once

#include "lib/quantize/RoundOnGrids.h"

namespace halftone::quantize {

/// Quantizes the weights of one linear layer: among the grids that lib/quantize/GridSearch.h tries for a block, the one
/// with the least sum of importance * error^2. With the mean square of the inputs as importance that is what the linear
/// loses of its outputs, as far as errors of different columns do not meet.
/// \param weights [rows, columns]; \param importance one a column, finite, none negative.
/// \returns an error as roundOnGrids does, or naming the format when it has no codes.
Expected<GptqResult> imatrix(const formats::Format &format, matrix::MatrixView<const float> weights,
                             std::span<const float> importance, const GridSearchOptions &options,
                             const matrix::ParallelFor &parallelFor);

} // namespace halftone::quantize
