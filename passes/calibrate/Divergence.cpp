// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One step at a time over all sequences, so that one block's weights are in memory.
#include "passes/calibrate/Divergence.h"

#include "lib/calibrate/Choose.h"

#include "mlir/IR/Threading.h"

#include <numeric>

using namespace mlir;
using namespace halftone;
using namespace halftone::calibrate;

/// Most bytes of outputs: logits, and what comparing them needs.
static constexpr size_t mostBytes = size_t(512) << 20;

/// Evenly spaced ones, of about `tokens` tokens.
static std::vector<Sequence> evenlySpaced(std::vector<Sequence> sequences, int64_t tokens) {
  int64_t all = 0;
  for (const Sequence &sequence : sequences)
    all += sequence.tokens;
  const size_t every = spacing(all, tokens);
  std::vector<Sequence> chosen;
  for (size_t i = 0; i < sequences.size(); i += every)
    chosen.push_back(std::move(sequences[i]));
  return chosen;
}

Expected<std::unique_ptr<Divergence>> Divergence::create(ModuleOp module, std::vector<Sequence> sequences,
                                                         int64_t tokens, std::shared_ptr<const void> keep) {
  Expected<BlockCode> code = BlockCode::compile(module, longest(sequences));
  if (!code)
    return code.error();
  if (code->chain.steps.empty() || code->chain.steps.back().results.empty())
    return Error{"the model has no outputs to compare"};
  const ChainValue &outputs = code->chain.values[code->chain.steps.back().results.front()];
  const int64_t fitting = mostBytes / (outputs.channels * (sizeof(float) + sizeof(double)));
  std::unique_ptr<Divergence> result(
      new Divergence(module, std::move(*code), evenlySpaced(std::move(sequences), std::min(tokens, fitting))));
  result->keep = std::move(keep);
  if (Status run = result->run(); !run)
    return run.error();
  return result;
}

Divergence::Divergence(ModuleOp module, BlockCode code, std::vector<Sequence> sequences)
    : context(module.getContext()), code(std::move(code)), weights(module), originals(module, /*original=*/true),
      sequences(std::move(sequences)), kept(this->sequences.size(), Values(chain().values.size())) {}

/// Runs the original for its outputs, then the model, of which all values are kept.
Status Divergence::run() {
  if (Status run = runFrom(0, originals, nullptr, kept); !run)
    return run;
  if (Status outputs = keepOutputs(); !outputs)
    return outputs;
  return runFrom(0, weights, nullptr, kept);
}

Status Divergence::forSequences(llvm::function_ref<Status(size_t)> body) const {
  std::vector<Status> done(sequences.size());
  parallelFor(context, 0, sequences.size(), [&](size_t sequence) { done[sequence] = body(sequence); });
  for (Status &status : done)
    if (!status)
      return status;
  return {};
}

/// Runs the steps from `first` on. In a trial, what no later step reads goes.
Status Divergence::runFrom(size_t first, BlockWeights &weights, const Trial *trial, std::vector<Values> &values) const {
  for (size_t i = first; i < chain().steps.size(); ++i) {
    const Step &step = chain().steps[i];
    if (Status loaded = code.load(step, step.function, weights); !loaded)
      return loaded;
    Status run = forSequences([&](size_t sequence) -> Status {
      callStep(code, step, sequences[sequence], weights, trial, kept[sequence], values[sequence]);
      for (ValueId id = 0; trial && id < chain().values.size(); ++id)
        if (chain().values[id].lastUse == i && !llvm::is_contained(step.results, id))
          Buffer().swap(values[sequence][id]);
      return {};
    });
    weights.clear();
    if (!run)
      return run;
  }
  return {};
}

int64_t Divergence::vocabulary() const { return chain().values[outputValue()].channels; }

/// The logits of each token in turn.
Status Divergence::forTokens(const Buffer &logits, size_t sequence,
                             llvm::function_ref<void(size_t token, evaluate::Distribution)> body) const {
  const auto *values = reinterpret_cast<const float *>(logits.data());
  for (int64_t token = 0; token < sequences[sequence].tokens; ++token) {
    auto made = evaluate::Distribution::create(std::span(values + token * vocabulary(), vocabulary()));
    if (!made)
      return Error{"the model's outputs: " + made.error().message};
    body(token, std::move(*made));
  }
  return {};
}

Status Divergence::keepOutputs() {
  logits.resize(sequences.size());
  outputs.resize(sequences.size());
  return forSequences([&](size_t sequence) -> Status {
    logits[sequence] = std::move(kept[sequence][outputValue()]);
    return forTokens(logits[sequence], sequence, [&](size_t, evaluate::Distribution distribution) {
      outputs[sequence].push_back(std::move(distribution));
    });
  });
}

Expected<double> Divergence::mean(const std::vector<Values> &values) const {
  std::vector<double> sums(sequences.size());
  Status compared = forSequences([&](size_t sequence) -> Status {
    return forTokens(values[sequence][outputValue()], sequence, [&](size_t token, evaluate::Distribution distribution) {
      sums[sequence] += outputs[sequence][token].divergence(distribution);
    });
  });
  if (!compared)
    return compared.error();
  int64_t tokens = 0;
  for (const Sequence &sequence : sequences)
    tokens += sequence.tokens;
  return std::accumulate(sums.begin(), sums.end(), 0.0) / static_cast<double>(tokens);
}

Expected<double> Divergence::with(const Trial &trial) {
  const auto reads = [&](const Step &step) {
    return llvm::any_of(step.arguments, [&](const ChainArgument &argument) { return argument.weight == trial.weight; });
  };
  const size_t first = llvm::find_if(chain().steps, reads) - chain().steps.begin();
  std::vector<Values> values(sequences.size(), Values(chain().values.size()));
  if (first == chain().steps.size())
    return Error{"nothing computes with weight '" + trial.weight + "'"};
  if (Status run = runFrom(first, weights, &trial, values); !run)
    return run.error();
  return mean(values);
}

Expected<double> Divergence::withOriginal(const std::string &weight) {
  if (Status loaded = originals.load(weight); !loaded)
    return loaded.error();
  Expected<double> result = with({weight, originals.values(weight)});
  originals.clear();
  return result;
}
