// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The grid of a block that loses least, weighing each column by its importance: among grids for shrunk extremes, each
// refitted to the codes that it led to.
#pragma once

#include "lib/formats/Grid.h"

#include <span>

namespace halftone::quantize {

struct GridSearchOptions {
  /// How many sizes of the extremes are tried, evenly spaced from 1 down to `smallest`.
  int sizes = 6;
  double smallest = 0.5;
  /// What is made small: sum of importance * |error|^norm.
  double norm = 2;
  /// How often each is refitted to its codes by weighted least squares, and the codes chosen anew.
  int refits = 2;
};

/// Searches the grid of `block`. The grid of the extremes (formats::extremeGrid) is among the candidates and wins ties,
/// so no search makes a block worse by its own measure.
/// \param block finite weights; \param importance one a weight, finite, none negative; all 0 counts as all 1.
formats::Grid searchGrid(const formats::GridCodec &codec, std::span<const float> block,
                         std::span<const float> importance, const GridSearchOptions &options);

} // namespace halftone::quantize
