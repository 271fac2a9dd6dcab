// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What quantization loses of a row of weights, the same for every method.
#pragma once

#include "lib/formats/Format.h"

#include <span>

namespace halftone::quantize {

/// What quantization lost, for the report.
struct RowStatistics {
  /// Sum of (decoded - w)^2 and of w^2 over all weights, in f64.
  double squaredError = 0;
  double squaredNorm = 0;
  /// Blocks that are not zero but got a scale of 0, below the smallest of its type: nothing of them is left.
  int64_t vanishedBlocks = 0;

  /// ||decoded - w|| / ||w||, 0 of nothing.
  double error() const;

  /// Adds one row after the others: sums have one order, so reports are equal for equal input.
  void add(const RowStatistics &other) {
    squaredError += other.squaredError;
    squaredNorm += other.squaredNorm;
    vanishedBlocks += other.vanishedBlocks;
  }
};

/// Of one row; `scales` are those of its blocks, none of a plain format.
RowStatistics measureRow(const formats::Format &format, std::span<const float> weights, std::span<const float> decoded,
                         std::span<const float> scales);

} // namespace halftone::quantize
