// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Half-quadratic quantization: round to nearest on grids fitted to the bulk of a block's weights, without any data.
#pragma once

#include "lib/quantize/RoundOnGrids.h"

namespace halftone::quantize {

struct HqqOptions {
  /// The p of the measure sum |w - decoded|^p, below 1: one large error counts little more than a small one.
  double norm = 0.7;
  /// Of the block's mean error: what a weight is off by beyond about this much is set aside as that of an outlier.
  double threshold = 0.3;
  int iterations = 20;
};

/// The grid of a block by half-quadratic splitting [Badri and Shaji 2023, Half-Quadratic Quantization, eq. 3 - 6]:
/// errors in excess are set aside by the shrinkage operator of the norm, the grid is fitted to the rest, and so on
/// while the measure falls. Unlike there scale and zero are both fitted, and the threshold is relative to the block's
/// own errors.
formats::Grid fitHalfQuadratic(const formats::GridCodec &codec, std::span<const float> block,
                               const HqqOptions &options);

/// Quantizes the weights of one matrix. \returns an error as roundOnGrids does, or naming the format when it has no
/// codes.
Expected<GptqResult> hqq(const formats::Format &format, matrix::MatrixView<const float> weights,
                         const HqqOptions &options, const matrix::ParallelFor &parallelFor);

} // namespace halftone::quantize
