// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// All weights of a model by one chain of methods, with data or without.
#pragma once

#include "passes/model/QuantizeModel.h"
#include "passes/model/WeightCoder.h"

namespace halftone {

/// A weight, and what it shall become.
struct WeightToCode {
  const onnx::LinearWeight *weight;
  formats::Format format;
};

class CodedJournal;

/// All of a model's weights, in their order.
struct CodedModel {
  std::vector<CodedWeight> weights;
  /// What to remove when the output stands; null when there is nothing.
  std::shared_ptr<CodedJournal> journal;
};

/// Codes `weights` as `options` say, those that read the same inputs together. Fails as quantizeModel does.
Expected<CodedModel> codeWeights(const QuantizeModelOptions &options, const onnx::Model &model,
                                 const std::vector<WeightToCode> &weights, WeightCoder &coder,
                                 mlir::MLIRContext &context, QuantizeProgress &progress);

} // namespace halftone
