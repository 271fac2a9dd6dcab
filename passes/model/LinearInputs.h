// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What goes into linears while a graph runs on calibration data, as statistics. The graph runs compiled.
#pragma once

#include "lib/calibrate/Statistics.h"
#include "passes/model/CalibrationArrays.h"

namespace halftone {

/// A value of the graph that some linear multiplies.
struct LinearInput {
  std::string value;
  /// The linear reads it as [columns, tokens].
  bool isTransposed = false;

  auto operator<=>(const LinearInput &) const = default;
};

/// The values whose vectors, of `columns` each, go into statistics together: those of all linears with one weight.
struct LinearInputs {
  int64_t columns = 0;
  std::vector<LinearInput> values;

  bool operator==(const LinearInputs &) const = default;
};

/// Bytes that gathering takes for these inputs.
int64_t statisticsBytes(const LinearInputs &inputs, calibrate::Gather gather);

/// Runs `model` on all samples and gathers what is wanted of each of `inputs`. The same for any number of threads.
/// \param threads how many samples run at once. \param advance told after some samples how many are done.
/// Fails when the graph cannot run on these arrays, and, naming sample and column, when a value is NaN or infinite.
Expected<std::vector<calibrate::Statistics>> gatherStatistics(onnx::Model model, const CalibrationArrays &arrays,
                                                              std::span<const LinearInputs> inputs,
                                                              calibrate::Gather gather, int64_t threads,
                                                              const matrix::ParallelFor &parallelFor,
                                                              const std::function<void(int64_t done)> &advance);

} // namespace halftone
