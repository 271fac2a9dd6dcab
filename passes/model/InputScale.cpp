// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every power is tried on all weights.
#include "passes/model/InputScale.h"

#include "lib/formats/Scalar.h"
#include "lib/matrix/Gram.h"
#include "lib/quantize/ColumnScale.h"

#include <cmath>

namespace halftone {

static constexpr int steps = 20;

/// Factors whose inverses are numbers of a type.
static std::vector<float> storable(std::vector<float> factors, formats::Scalar stored) {
  for (float &factor : factors) {
    const float held = formats::roundTo(stored, 1 / factor);
    factor = held > 0 && std::isfinite(held) ? 1 / held : 1;
  }
  return factors;
}

Expected<std::vector<float>> chooseInputScale(std::span<const ScaledWeight> weights,
                                              const calibrate::Statistics &statistics, formats::Scalar stored,
                                              const matrix::ParallelFor &parallelFor) {
  const int64_t columns = statistics.columns;
  const matrix::MatrixView<const double> hessian = {statistics.hessian.data(), columns, columns};
  double least = HUGE_VAL;
  std::vector<float> best(columns, 1);
  for (int step = 0; step < steps; ++step) {
    const std::vector<float> factors =
        storable(quantize::activationScale(statistics.meanAbs, 1.0 * step / steps), stored);
    double loss = 0;
    for (const ScaledWeight &weight : weights) {
      std::vector<float> rounded(weight.values.rows * columns);
      Status done = quantize::roundScaled(weight.format, weight.values, factors,
                                          {rounded.data(), weight.values.rows, columns}, parallelFor);
      if (!done)
        return done.error();
      for (int64_t i = 0; i < weight.values.rows * columns; ++i)
        rounded[i] = weight.values.data[i] - rounded[i];
      loss += matrix::weightedNorm({rounded.data(), weight.values.rows, columns}, hessian, parallelFor);
    }
    if (!(loss < least))
      continue;
    least = loss;
    best = factors;
  }
  return best;
}

} // namespace halftone
