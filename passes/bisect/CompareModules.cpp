// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Both modules side by side, one step after the other.
#include "passes/bisect/CompareModules.h"

#include "dialects/lowbit/Facts.h"
#include "lib/evaluate/Difference.h"
#include "lib/evaluate/Score.h"
#include "passes/bisect/FirstOperation.h"
#include "passes/bisect/ModuleRun.h"

#include <limits>

using namespace mlir;
using namespace halftone;
using namespace halftone::bisect;

static std::vector<calibrate::Sequence> inputsOf(std::span<const evaluate::Sequence> sequences) {
  std::vector<calibrate::Sequence> inputs;
  for (const evaluate::Sequence &sequence : sequences)
    inputs.push_back({static_cast<int64_t>(sequence.read().size()), {std::as_bytes(sequence.read())}});
  return inputs;
}

/// Whether both are chains of as many steps that give values of the same sizes.
static bool areAlike(const calibrate::Chain &first, const calibrate::Chain &second) {
  if (first.steps.size() != second.steps.size())
    return false;
  for (auto [a, b] : llvm::zip(first.steps, second.steps)) {
    if (a.results.size() != b.results.size())
      return false;
    for (auto [x, y] : llvm::zip(a.results, b.results))
      if (first.values[x].channels != second.values[y].channels)
        return false;
  }
  return true;
}

template <class Outputs> static double difference(ArrayRef<std::span<const float>> reference, const Outputs &outputs) {
  evaluate::Difference all;
  for (auto [want, got] : llvm::zip(reference, outputs))
    all.add(want, got);
  return all.relative();
}

/// Mean KL over the rows of logits.
static Expected<double> divergence(ArrayRef<std::span<const float>> first, ArrayRef<std::span<const float>> second,
                                   size_t vocabulary) {
  double sum = 0;
  size_t rows = 0;
  for (auto [a, b] : llvm::zip(first, second))
    for (size_t place = 0; place < a.size(); place += vocabulary, ++rows) {
      const auto want = evaluate::Distribution::create(a.subspan(place, vocabulary));
      const auto got = evaluate::Distribution::create(b.subspan(place, vocabulary));
      if (!want || !got)
        return Error{std::string("the ") + (want ? "second" : "first") +
                     " model's outputs: " + (want ? got : want).error().message};
      sum += want->divergence(*got);
    }
  return sum / static_cast<double>(rows);
}

/// The weights of a step that differ, pair by pair in the order of its arguments.
static Expected<std::vector<Weight>> compareWeights(ModuleRun &first, ModuleRun &second, size_t number) {
  std::vector<Weight> found;
  const auto &a = first.chain().steps[number].arguments, &b = second.chain().steps[number].arguments;
  const auto names = [](const std::vector<calibrate::ChainArgument> &arguments) {
    std::vector<std::string> all;
    for (const calibrate::ChainArgument &argument : arguments)
      if (!argument.value && !argument.weight.empty())
        all.push_back(argument.weight);
    return all;
  };
  for (auto [x, y] : llvm::zip(names(a), names(b))) {
    const Expected<std::vector<float>> want = first.values(x), got = second.values(y);
    if (!want || !got)
      return (want ? got : want).error();
    Weight weight{x, y, first.formatOf(x), second.formatOf(y)};
    if (want->size() != got->size()) {
      weight.values = weight.outputs = std::numeric_limits<double>::infinity();
      found.push_back(weight);
      continue;
    }
    weight.values = difference(std::span<const float>(*want), ArrayRef(std::span<const float>(*got)));
    if (weight.values == 0)
      continue;
    const auto outputs = first.outputsWith(number, {x, *got});
    if (!outputs)
      return outputs.error();
    weight.outputs = difference(first.outputs(number), *outputs);
    found.push_back(weight);
  }
  return found;
}

Expected<Comparison> bisect::compareModules(const std::string &firstPath, const std::string &secondPath,
                                            std::span<const evaluate::Sequence> sequences, double tolerance,
                                            const std::string &work) {
  Comparison result;
  std::vector<std::unique_ptr<ModuleRun>> runs;
  for (const std::string &path : {firstPath, secondPath}) {
    Expected<std::unique_ptr<ModuleRun>> opened = ModuleRun::open(path);
    if (!opened)
      return opened.error();
    runs.push_back(std::move(*opened));
    if (Status compiled = runs.back()->compile(inputsOf(sequences), work + std::to_string(runs.size())); !compiled)
      return compiled.error();
  }
  ModuleRun &first = *runs[0], &second = *runs[1];
  const bool alike = areAlike(first.chain(), second.chain());
  const size_t firstSteps = first.chain().steps.size(), secondSteps = second.chain().steps.size();
  for (size_t step = 0; step < std::max(firstSteps, secondSteps); ++step) {
    for (ModuleRun *run : {&first, &second})
      if (step < run->chain().steps.size())
        if (Status done = run->run(step); !done)
          return done.error();
    if (!alike)
      continue;
    result.steps.push_back({first.chain().steps[step].function, difference(first.outputs(step), second.outputs(step))});
    if (result.parting || result.steps.back().difference <= tolerance)
      continue;
    result.parting = step;
    Expected<std::vector<Weight>> weights = compareWeights(first, second, step);
    if (!weights)
      return weights.error();
    result.weights = std::move(*weights);
    result.operation = firstOperation(*first, *second, result.steps.back().function);
  }
  const std::vector<std::span<const float>> want = first.outputs(firstSteps - 1), got = second.outputs(secondSteps - 1);
  const auto channels = [](const ModuleRun &run) {
    return run.chain().values[run.chain().steps.back().results.front()].channels;
  };
  if (channels(first) != channels(second))
    return Error{firstPath + " gives " + std::to_string(channels(first)) + " logits a token, " + secondPath + " " +
                 std::to_string(channels(second)) + ": they are not of one model"};
  result.outputs = difference(want, got);
  const Expected<double> kl = divergence(want, got, static_cast<size_t>(channels(first)));
  if (!kl)
    return kl.error();
  result.divergence = *kl;
  return result;
}

Expected<int64_t> bisect::contextOf(const std::string &path) {
  Expected<std::unique_ptr<ModuleRun>> module = ModuleRun::open(path);
  if (!module)
    return module.error();
  auto context = (***module)->getAttrOfType<IntegerAttr>(facts::context);
  return context ? context.getInt() : 0;
}
