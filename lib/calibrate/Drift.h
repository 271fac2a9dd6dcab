// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How far a linear's input has moved because weights before it were quantized: what asymmetric calibration makes up
// for.
#pragma once

#include "lib/matrix/MatrixView.h"
#include "lib/matrix/Parallel.h"

#include <vector>

namespace halftone::calibrate {

/// x is a linear's input in the model as it is being quantized, x~ in the model as it was; r and r~ what its output is
/// added to. Over all tokens, times 2 / their number:
struct Drift {
  int64_t columns = 0, outputs = 0;
  int64_t tokens = 0;
  /// Sum of (x~ - x) x^T. [columns, columns]
  std::vector<double> input;
  /// Sum of (r~ - r) x^T; empty when the output is added to nothing. [outputs, columns]
  std::vector<double> residual;
};

/// Gathers the drift of one linear's input, sequence after sequence; their order decides the result to the bit, threads
/// do not.
class DriftAccumulator {
public:
  using Rows = matrix::MatrixView<const float>;

  /// \param outputs channels of what the output is added to, 0 for nothing.
  DriftAccumulator(int64_t columns, int64_t outputs, matrix::ParallelFor parallelFor);

  /// \param now, \param before x and x~ of the same tokens; \param residualNow, \param residualBefore r and r~, unless
  /// there are no outputs.
  void add(Rows now, Rows before, Rows residualNow, Rows residualBefore);

  /// The drift of all that was added, which the accumulator then has no more.
  Drift finish();

private:
  void addDifference(Rows now, Rows before, Rows input, std::vector<double> &sum);

  Drift result;
  matrix::ParallelFor parallelFor;
  std::vector<float> difference;
};

} // namespace halftone::calibrate
