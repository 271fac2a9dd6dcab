// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Differences of two streams times one of them.
#include "lib/calibrate/Drift.h"

#include "lib/matrix/Cross.h"

namespace halftone::calibrate {

DriftAccumulator::DriftAccumulator(int64_t columns, int64_t outputs, matrix::ParallelFor parallelFor)
    : result{columns, outputs, 0, std::vector<double>(columns * columns), std::vector<double>(outputs * columns)},
      parallelFor(std::move(parallelFor)) {}

void DriftAccumulator::addDifference(Rows now, Rows before, Rows input, std::vector<double> &sum) {
  difference.resize(now.rows * now.columns);
  for (int64_t token = 0; token < now.rows; ++token)
    for (int64_t channel = 0; channel < now.columns; ++channel)
      difference[token * now.columns + channel] = before(token, channel) - now(token, channel);
  matrix::addCross(Rows(difference.data(), now.rows, now.columns), input,
                   matrix::MatrixView<double>(sum.data(), now.columns, input.columns), parallelFor);
}

void DriftAccumulator::add(Rows now, Rows before, Rows residualNow, Rows residualBefore) {
  addDifference(now, before, now, result.input);
  if (result.outputs != 0)
    addDifference(residualNow, residualBefore, now, result.residual);
  result.tokens += now.rows;
}

Drift DriftAccumulator::finish() {
  const double scale = result.tokens == 0 ? 0 : 2.0 / static_cast<double>(result.tokens);
  for (std::vector<double> *sum : {&result.input, &result.residual})
    for (double &value : *sum)
      value *= scale;
  return std::move(result);
}

} // namespace halftone::calibrate
