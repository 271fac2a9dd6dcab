// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rounds a matrix block by block, each weight for itself, on grids that a method chooses.
#pragma once

#include "lib/formats/Grid.h"
#include "lib/quantize/Gptq.h"

#include <functional>
#include <span>

namespace halftone::quantize {

/// The grid of a block whose first weight stands in column `first`. Called from several threads at once.
using ChooseGrid = std::function<formats::Grid(std::span<const float> block, int64_t first)>;

/// Rounds each weight to the nearest value of its block's grid.
/// \param codec of the format; \param weights [rows, columns] f32, row major.
/// \param importance one a column, what an error in it costs; the loss then has sums of importance * error^2 and
/// importance * weight^2. Empty: it has those of the weights alone.
/// \returns an error naming row and column of a weight that is NaN or infinite.
Expected<GptqResult> roundOnGrids(const formats::GridCodec &codec, matrix::MatrixView<const float> weights,
                                  std::span<const float> importance, const ChooseGrid &choose,
                                  const matrix::ParallelFor &parallelFor);

} // namespace halftone::quantize
