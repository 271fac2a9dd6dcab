// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Quantizing weights with what the model's own activations say: the loop that such methods share.
#pragma once

#include "lib/calibrate/BlockRunner.h"
#include "lib/quantize/Gptq.h"
#include "passes/quantize/Passes.h"

namespace halftone::quantize {

/// What is known of the inputs of the linears that read a weight.
struct WeightInputs {
  /// Null for a method that needs no data.
  std::shared_ptr<calibrate::Statistics> statistics;
  /// Null unless it is wanted and there is any.
  std::shared_ptr<const calibrate::Drift> drift;
};

/// What a method makes of one matrix [rows, columns], which it may overwrite.
using QuantizeMatrix = std::function<Expected<GptqResult>(
    const formats::Format &format, matrix::MatrixView<float> weights, const WeightInputs &inputs)>;

/// Quantizes the weights of `module` that wait for `method` and are read by linears only, in the order in which the
/// model computes with them, into the work file `work`. When the method needs data, each is replaced in the runner's
/// model, so that later ones are quantized for what earlier ones have become; one that the journal holds is taken from
/// there. Memory holds one weight at a time.
/// \param method one of lib/quantize/Method.h.
mlir::LogicalResult quantizeCalibrated(mlir::ModuleOp module, llvm::StringRef method, const std::string &work,
                                       const CalibrationRun &run, const QuantizeMatrix &quantize,
                                       bool wantsDrift = false);

/// Work on the threads of a context.
matrix::ParallelFor threadsOf(mlir::MLIRContext *context);

} // namespace halftone::quantize
