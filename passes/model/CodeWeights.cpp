// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is known of a weight's inputs, factors for its columns, then codes: weight after weight.
#include "passes/model/CodeWeights.h"

#include "lib/quantize/Hqq.h"
#include "passes/model/CodedJournal.h"
#include "passes/model/InputScale.h"
#include "passes/model/LinearReaders.h"
#include "passes/model/WeightMethod.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ThreadPool.h"

#include <algorithm>

namespace halftone {

using calibrate::Gather;

namespace {

class Work {
public:
  Work(const QuantizeModelOptions &options, const onnx::Model &model, const std::vector<WeightToCode> &tasks,
       WeightCoder &coder, mlir::MLIRContext &context, QuantizeProgress &progress)
      : options(options), model(model), tasks(tasks), coder(coder), context(context), parallelFor(parallelOn(context)),
        progress(progress), gathered(quantize::gatheredFor(options.methods)), coded(tasks.size()) {
    if (rescales())
      gathered = gathered | Gather::hessian; // which weighs what factors lose
  }

  Expected<CodedModel> run() {
    if (Status done = gathered == Gather::nothing ? withoutData() : withData(); !done)
      return done.error();
    CodedModel result;
    for (std::optional<CodedWeight> &weight : coded)
      result.weights.push_back(std::move(*weight));
    result.journal = std::move(journal);
    return result;
  }

private:
  using Scale = std::shared_ptr<const std::vector<float>>;
  /// Those whose statistics are gathered at once.
  struct Group {
    std::vector<LinearReaders> readers;
    int64_t bytes = 0;
  };

  bool rescales() const { return options.methods.size() > 1; }
  Status withoutData();
  Status withData();
  std::vector<Group> group(const std::vector<LinearReaders> &readers) const;
  bool isDone(const LinearReaders &readers) const;
  Status recall(const LinearReaders &readers);
  Expected<std::vector<calibrate::Statistics>> gather(const CalibrationArrays &arrays, const Group &group,
                                                      const std::string &which);
  Expected<WeightCodes> make(size_t index, WeightMethod &method, std::span<const float> factors);
  Status code(const LinearReaders &readers, calibrate::Statistics statistics);
  Expected<Scale> scaleOf(const LinearReaders &readers, calibrate::Statistics &statistics);
  Expected<std::vector<float>> chooseScale(const LinearReaders &readers, const calibrate::Statistics &statistics);
  Status keep(size_t index, const WeightCodes &codes, Scale scale);
  void keep(size_t index, CodedWeight weight);

  const QuantizeModelOptions &options;
  const onnx::Model &model;
  const std::vector<WeightToCode> &tasks;
  WeightCoder &coder;
  mlir::MLIRContext &context;
  const matrix::ParallelFor parallelFor;
  QuantizeProgress &progress;
  Gather gathered;
  std::shared_ptr<CodedJournal> journal;         ///< null without data
  std::vector<std::optional<CodedWeight>> coded; ///< of each task
  size_t done = 0;
};

} // namespace

static std::string counted(const std::string &what, uint64_t done, uint64_t total) {
  return what + " " + std::to_string(done) + "/" + std::to_string(total);
}

void Work::keep(size_t index, CodedWeight weight) {
  coded[index] = std::move(weight);
  ++done;
  progress.advance(counted("quantizing weight", done, tasks.size()), done, tasks.size());
}

Status Work::keep(size_t index, const WeightCodes &codes, Scale scale) {
  Expected<CodedWeight> weight = coder.write(*tasks[index].weight, tasks[index].format, codes);
  if (!weight)
    return weight.error();
  weight->scale = std::move(scale);
  keep(index, std::move(*weight));
  return {};
}

Status Work::withoutData() {
  progress.begin("quantizing");
  const bool fits = options.methods.back()->name == "hqq";
  for (const auto &[index, task] : llvm::enumerate(tasks)) {
    if (!fits) {
      Expected<CodedWeight> rounded = coder.round(*task.weight, task.format);
      if (!rounded)
        return rounded.error();
      keep(index, std::move(*rounded));
      continue;
    }
    const auto hqq = [&](auto rows) { return quantize::hqq(task.format, rows, {}, parallelFor); };
    const Expected<WeightCodes> codes = coder.code(*task.weight, task.format, {}, hqq);
    if (!codes)
      return codes.error();
    if (Status kept = keep(index, *codes, nullptr); !kept)
      return kept;
  }
  return {};
}

//===-- With data -------------------------------------------------------------------------------------------------===//

/// Weights that read the same inputs stand together, whatever the memory; inputs share a group as long as it holds what
/// is gathered of them.
std::vector<Work::Group> Work::group(const std::vector<LinearReaders> &readers) const {
  std::vector<Group> groups;
  for (const LinearReaders &next : readers) {
    if (isDone(next))
      continue;
    const int64_t bytes = statisticsBytes(next.inputs, gathered);
    if (groups.empty() || groups.back().bytes + bytes > options.memory)
      groups.emplace_back();
    groups.back().readers.push_back(next);
    groups.back().bytes += bytes;
  }
  return groups;
}

bool Work::isDone(const LinearReaders &readers) const {
  return llvm::all_of(readers.weights, [&](size_t index) { return journal->hasCodes(index); });
}

/// Takes weights that are all in the journal.
Status Work::recall(const LinearReaders &readers) {
  Scale scale;
  if (rescales()) {
    Expected<std::vector<float>> kept = journal->scale(readers.weights.front());
    if (!kept)
      return kept.error();
    scale = std::make_shared<const std::vector<float>>(std::move(*kept));
  }
  for (const size_t index : readers.weights) {
    const Expected<WeightCodes> codes = journal->codes(index);
    if (!codes)
      return codes.error();
    if (Status kept = keep(index, *codes, scale); !kept)
      return kept;
  }
  return {};
}

Expected<std::vector<calibrate::Statistics>> Work::gather(const CalibrationArrays &arrays, const Group &group,
                                                          const std::string &which) {
  progress.begin("compiling " + options.input + which);
  Expected<onnx::Model> model = onnx::readModel(options.input, {.externalDataRoot = options.externalDataRoot});
  if (!model)
    return model.error();
  const unsigned threads = context.isMultithreadingEnabled() ? context.getThreadPool().getMaxConcurrency() : 1;
  std::vector<LinearInputs> inputs;
  for (const LinearReaders &readers : group.readers)
    inputs.push_back(readers.inputs);
  return gatherStatistics(std::move(*model), arrays, inputs, gathered, threads, parallelFor, [&](int64_t samples) {
    progress.advance(counted("calibrating" + which + ", sample", samples, arrays.count()), samples, arrays.count());
  });
}

/// Factors for the columns of all weights that read the same inputs.
Expected<std::vector<float>> Work::chooseScale(const LinearReaders &readers, const calibrate::Statistics &statistics) {
  std::vector<std::vector<float>> values;
  std::vector<ScaledWeight> weights;
  for (const size_t index : readers.weights) {
    const WeightToCode &task = tasks[index];
    Expected<std::vector<float>> all = coder.values(*task.weight);
    if (!all)
      return all.error();
    values.push_back(std::move(*all));
    weights.push_back({{values.back().data(), task.weight->rows, task.weight->columns}, task.format});
  }
  const onnx::LinearWeight &first = *tasks[readers.weights.front()].weight;
  Expected<std::vector<float>> scale = chooseInputScale(weights, statistics, scalarOf(first.type), parallelFor);
  if (!scale)
    return Error{first.describe(model) + ", " + scale.error().message};
  return scale;
}

/// Those of the journal, or chosen now; the statistics become those of what is left.
Expected<Work::Scale> Work::scaleOf(const LinearReaders &readers, calibrate::Statistics &statistics) {
  const size_t first = readers.weights.front();
  const bool isKept = journal->hasScale(first);
  Expected<std::vector<float>> scale = isKept ? journal->scale(first) : chooseScale(readers, statistics);
  if (!scale)
    return scale.error();
  if (!isKept)
    if (Status kept = journal->keepScale(first, *scale); !kept)
      return kept.error();
  const size_t columns = scale->size();
  for (size_t i = 0; i < columns; ++i) {
    const double factor = (*scale)[i];
    statistics.meanAbs[i] = static_cast<float>(statistics.meanAbs[i] / factor);
    statistics.meanSquare[i] = static_cast<float>(statistics.meanSquare[i] / (factor * factor));
    for (size_t j = 0; j < columns; ++j)
      statistics.hessian[i * columns + j] /= factor * (*scale)[j];
  }
  return std::make_shared<const std::vector<float>>(std::move(*scale));
}

/// Codes one weight, and keeps that in the journal.
Expected<WeightCodes> Work::make(size_t index, WeightMethod &method, std::span<const float> factors) {
  const WeightToCode &task = tasks[index];
  const Expected<Coding> coding = method.of(task);
  if (!coding)
    return coding.error();
  Expected<WeightCodes> made = coder.code(*task.weight, task.format, factors, coding->rows);
  if (!made)
    return made.error();
  made->loss.damp = coding->damp;
  if (Status kept = journal->keep(index, *made); !kept)
    return kept.error();
  return made;
}

Status Work::code(const LinearReaders &readers, calibrate::Statistics statistics) {
  Scale scale;
  if (rescales()) {
    Expected<Scale> chosen = scaleOf(readers, statistics);
    if (!chosen)
      return chosen.error();
    scale = std::move(*chosen);
  }
  const std::span<const float> factors = scale ? std::span<const float>(*scale) : std::span<const float>();
  WeightMethod method(options, model, statistics, parallelFor, progress);
  for (const size_t index : readers.weights) {
    const Expected<WeightCodes> codes = journal->hasCodes(index) ? journal->codes(index) : make(index, method, factors);
    if (!codes)
      return codes.error();
    if (Status kept = keep(index, *codes, scale); !kept)
      return kept;
  }
  return {};
}

Status Work::withData() {
  const Expected<onnx::Model> model = onnx::readModel(options.input, {.externalDataRoot = options.externalDataRoot});
  if (!model)
    return model.error();
  const Expected<CalibrationArrays> arrays = CalibrationArrays::open(options.calibration, *model);
  if (!arrays)
    return arrays.error();
  Expected<CodedJournal> opened = CodedJournal::open(options, *model, tasks);
  if (!opened)
    return opened.error();
  journal = std::make_shared<CodedJournal>(std::move(*opened));
  const std::vector<LinearReaders> readers = findReaders(tasks);
  const std::vector<Group> groups = group(readers);
  for (const LinearReaders &next : readers)
    if (isDone(next))
      if (Status recalled = recall(next); !recalled)
        return recalled;
  for (size_t i = 0; i < groups.size(); ++i) {
    const std::string which = groups.size() == 1 ? "" : counted(", group", i + 1, groups.size());
    Expected<std::vector<calibrate::Statistics>> statistics = gather(*arrays, groups[i], which);
    if (!statistics)
      return statistics.error();
    progress.begin("quantizing");
    for (size_t j = 0; j < groups[i].readers.size(); ++j)
      if (Status finished = code(groups[i].readers[j], std::move((*statistics)[j])); !finished)
        return finished;
  }
  return {};
}

Expected<CodedModel> codeWeights(const QuantizeModelOptions &options, const onnx::Model &model,
                                 const std::vector<WeightToCode> &weights, WeightCoder &coder,
                                 mlir::MLIRContext &context, QuantizeProgress &progress) {
  return Work(options, model, weights, coder, context, progress).run();
}

} // namespace halftone
