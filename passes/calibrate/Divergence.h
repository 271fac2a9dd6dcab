// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What quantized weights do to the outputs of a whole model, together and one by one.
#pragma once

#include "lib/evaluate/Score.h"
#include "passes/calibrate/StepCall.h"

namespace halftone::calibrate {

/// A model compiled into this process, on a few sequences. What its functions give is kept, so that a trial computes
/// only what comes after its weight. Divergences are means over the tokens of KL(original || model), in nats: outputs
/// are read as logits, and the original has all weights as they were before they were quantized.
class Divergence {
public:
  /// Compiles and runs `module` on sequences evenly spaced among `sequences`, about `tokens` tokens in all, fewer when
  /// the outputs would not fit into half a gigabyte. `module` is not needed afterwards; the files of its weights are.
  static Expected<std::unique_ptr<Divergence>> create(mlir::ModuleOp module, std::vector<Sequence> sequences,
                                                      int64_t tokens, std::shared_ptr<const void> keep = nullptr);

  /// That of the model.
  Expected<double> ofModel() const { return mean(kept); }
  /// That of the model with a single weight replaced.
  Expected<double> with(const Trial &trial);
  /// That of the model with a single weight as it was.
  Expected<double> withOriginal(const std::string &weight);

private:
  Divergence(mlir::ModuleOp module, BlockCode code, std::vector<Sequence> sequences);
  Status run();

  const Chain &chain() const { return code.chain; }
  ValueId outputValue() const { return chain().steps.back().results.front(); }
  int64_t vocabulary() const;
  Status forSequences(llvm::function_ref<Status(size_t)> body) const;
  Status runFrom(size_t first, BlockWeights &weights, const Trial *trial, std::vector<Values> &values) const;
  Expected<double> mean(const std::vector<Values> &values) const;
  Status forTokens(const Buffer &logits, size_t sequence,
                   llvm::function_ref<void(size_t token, evaluate::Distribution)> body) const;
  Status keepOutputs();

  mlir::MLIRContext *context;
  BlockCode code;
  BlockWeights weights, originals;
  std::vector<Sequence> sequences;
  /// Of each sequence: all values of the model as it is.
  std::vector<Values> kept;
  /// Of each sequence: the original's logits, and what they say about each next token.
  std::vector<Buffer> logits;
  std::vector<std::vector<evaluate::Distribution>> outputs;
  /// What the sequences point into, if it must live as long.
  std::shared_ptr<const void> keep;
};

/// Makes one of the module as it is now, on about so many tokens.
using MakeDivergence = std::function<Expected<std::unique_ptr<Divergence>>(mlir::ModuleOp, int64_t tokens)>;

} // namespace halftone::calibrate
