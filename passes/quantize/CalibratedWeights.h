// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Quantizing weights with what the model's own activations say: the loop that such methods share.
#pragma once

#include "lib/calibrate/BlockRunner.h"
#include "lib/quantize/Gptq.h"
#include "passes/quantize/Passes.h"

namespace halftone::quantize {

/// What a method makes of one matrix [rows, columns], which it may overwrite; `statistics` are those of the linears
/// that read it, `drift` is that of their input when it is wanted and there is any.
using QuantizeMatrix = std::function<Expected<GptqResult>(
    const formats::Format &format, matrix::MatrixView<float> weights,
    const std::shared_ptr<calibrate::Statistics> &statistics, const std::shared_ptr<const calibrate::Drift> &drift)>;

/// Quantizes the weights of `module` that wait for `method` and are read by linears only, in the order in which the
/// model computes with them, into the work file `work`. Each is replaced in the runner's model, so that later ones are
/// quantized for what earlier ones have become; one that the journal holds is taken from there. Memory holds one weight
/// at a time.
mlir::LogicalResult quantizeCalibrated(mlir::ModuleOp module, llvm::StringRef method, const std::string &work,
                                       const CalibrationRun &run, const QuantizeMatrix &quantize,
                                       bool wantsDrift = false);

/// Work on the threads of a context.
matrix::ParallelFor threadsOf(mlir::MLIRContext *context);

} // namespace halftone::quantize
