// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The method that quantizes a weight, with what is known of its linears' inputs.
#pragma once

#include "lib/calibrate/Statistics.h"
#include "passes/model/CodeWeights.h"

namespace halftone {

/// A method that quantizes, for one weight.
struct Coding {
  CodeRows rows;
  std::optional<double> damp = std::nullopt;
};

/// Makes the codings of weights that read the same inputs, of which those of one block size share a factor.
class WeightMethod {
public:
  /// \param statistics of the inputs, whose Hessian becomes a factor's. All must outlive this and its codings.
  WeightMethod(const QuantizeModelOptions &options, const onnx::Model &model, calibrate::Statistics &statistics,
               const matrix::ParallelFor &parallelFor, QuantizeProgress &progress)
      : options(options), model(model), statistics(statistics), parallelFor(parallelFor), progress(progress) {}

  Expected<Coding> of(const WeightToCode &task);

private:
  Expected<quantize::HessianFactor> makeFactor(const WeightToCode &task);

  const QuantizeModelOptions &options;
  const onnx::Model &model;
  calibrate::Statistics &statistics;
  const matrix::ParallelFor &parallelFor;
  QuantizeProgress &progress;
  std::optional<quantize::HessianFactor> factor;
  int64_t factorBlock = 0; ///< the block size that `factor` is for
};

} // namespace halftone
