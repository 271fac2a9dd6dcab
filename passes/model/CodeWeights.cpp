// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is known of a weight's inputs, factors for its columns, then codes: weight after weight.
#include "passes/model/CodeWeights.h"

#include "lib/quantize/Hqq.h"
#include "lib/quantize/Imatrix.h"
#include "passes/model/InputScale.h"
#include "passes/model/LinearInputs.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

namespace halftone {

using calibrate::Gather;

namespace {

class Work {
public:
  Work(const QuantizeModelOptions &options, const onnx::Model &model, WeightCoder &coder, mlir::MLIRContext &context,
       QuantizeProgress &progress)
      : options(options), model(model), coder(coder), context(context), progress(progress),
        gathered(quantize::gatheredFor(options.methods)) {
    if (rescales())
      gathered = gathered | Gather::hessian; // which weighs what factors lose
  }

  Expected<std::vector<CodedWeight>> run(const std::vector<WeightToCode> &tasks) {
    return gathered == Gather::nothing ? withoutData(tasks) : withData(tasks);
  }

private:
  /// Tasks whose statistics are gathered at once, the inputs of each.
  struct Group {
    std::vector<const WeightToCode *> tasks;
    std::vector<LinearInputs> inputs; ///< each once
    int64_t bytes = 0;
  };
  /// A method that quantizes, for one weight.
  struct Coding {
    CodeRows rows;
    std::optional<double> damp = std::nullopt;
  };

  bool rescales() const { return options.methods.size() > 1; }
  Expected<std::vector<CodedWeight>> withoutData(const std::vector<WeightToCode> &tasks);
  Expected<std::vector<CodedWeight>> withData(const std::vector<WeightToCode> &tasks);
  std::vector<Group> group(const std::vector<WeightToCode> &tasks) const;
  Expected<std::vector<calibrate::Statistics>> gather(const CalibrationArrays &arrays, const Group &group,
                                                      const std::string &which);
  Expected<quantize::HessianFactor> factor(const WeightToCode &task, calibrate::Statistics &statistics);
  Expected<Coding> codingOf(const WeightToCode &task, calibrate::Statistics &statistics);
  Status code(const Group &group, std::vector<calibrate::Statistics> statistics, uint64_t total);
  Expected<std::shared_ptr<const std::vector<float>>> scaleOf(std::span<const WeightToCode *const> tasks,
                                                              calibrate::Statistics &statistics);
  void keep(CodedWeight coded, uint64_t total);

  const QuantizeModelOptions &options;
  const onnx::Model &model;
  WeightCoder &coder;
  mlir::MLIRContext &context;
  QuantizeProgress &progress;
  Gather gathered;
  std::vector<CodedWeight> done;
  /// The factor of the last inputs for formats of one block size.
  std::shared_ptr<const quantize::HessianFactor> shared;
  int64_t sharedBlock = 0;
};

} // namespace

static std::string counted(const std::string &what, uint64_t done, uint64_t total) {
  return what + " " + std::to_string(done) + "/" + std::to_string(total);
}

void Work::keep(CodedWeight coded, uint64_t total) {
  done.push_back(std::move(coded));
  progress.advance(counted("quantizing weight", done.size(), total), done.size(), total);
}

Expected<std::vector<CodedWeight>> Work::withoutData(const std::vector<WeightToCode> &tasks) {
  progress.begin("quantizing");
  const bool fits = options.methods.back()->name == "hqq";
  for (const WeightToCode &task : tasks) {
    Expected<CodedWeight> coded =
        fits ? coder.code(*task.weight, task.format, {},
                          [&](auto rows) { return quantize::hqq(task.format, rows, {}, parallelOn(context)); })
             : coder.round(*task.weight, task.format);
    if (!coded)
      return coded.error();
    keep(std::move(*coded), tasks.size());
  }
  return std::move(done);
}

/// What all linears with this weight read.
static LinearInputs inputsOf(const onnx::LinearWeight &weight) {
  LinearInputs inputs = {weight.columns, {}};
  for (const onnx::Linear &linear : weight.linears) {
    const auto *transposed = linear.node->get<int64_t>("transA");
    inputs.values.push_back({linear.node->inputs[0], transposed && *transposed != 0});
  }
  std::ranges::sort(inputs.values);
  inputs.values.erase(std::ranges::unique(inputs.values).begin(), inputs.values.end());
  return inputs;
}

/// Weights that read the same inputs stand together, whatever the memory; inputs share a group as long as it holds what
/// is gathered of them.
std::vector<Work::Group> Work::group(const std::vector<WeightToCode> &tasks) const {
  std::vector<LinearInputs> all; // each once
  for (const WeightToCode &task : tasks)
    if (LinearInputs inputs = inputsOf(*task.weight); std::ranges::find(all, inputs) == all.end())
      all.push_back(std::move(inputs));
  std::vector<Group> groups(1);
  for (const LinearInputs &inputs : all) {
    const int64_t bytes = statisticsBytes(inputs, gathered);
    if (!groups.back().inputs.empty() && groups.back().bytes + bytes > options.memory)
      groups.emplace_back();
    Group &group = groups.back();
    group.inputs.push_back(inputs);
    group.bytes += bytes;
    for (const WeightToCode &task : tasks)
      if (inputsOf(*task.weight) == inputs)
        group.tasks.push_back(&task);
  }
  return groups;
}

Expected<std::vector<calibrate::Statistics>> Work::gather(const CalibrationArrays &arrays, const Group &group,
                                                          const std::string &which) {
  progress.begin("compiling " + options.input + which);
  Expected<onnx::Model> model = onnx::readModel(options.input, {.externalDataRoot = options.externalDataRoot});
  if (!model)
    return model.error();
  const unsigned threads = context.isMultithreadingEnabled() ? context.getThreadPool().getMaxConcurrency() : 1;
  return gatherStatistics(
      std::move(*model), arrays, group.inputs, gathered, threads, parallelOn(context), [&](int64_t samples) {
        progress.advance(counted("calibrating" + which + ", sample", samples, arrays.count()), samples, arrays.count());
      });
}

Expected<quantize::HessianFactor> Work::factor(const WeightToCode &task, calibrate::Statistics &statistics) {
  quantize::HessianOptions wanted = options.hessian;
  wanted.block = task.format.block;
  const int64_t columns = task.weight->columns;
  Expected<quantize::HessianFactor> factor =
      quantize::HessianFactor::compute({statistics.hessian.data(), columns, columns}, wanted, parallelOn(context));
  if (!factor)
    return Error{task.weight->describe(model) + ": " + factor.error().message};
  if (const double damp = factor->report().damp; damp > wanted.damp) {
    std::string text = task.weight->describe(model);
    llvm::raw_string_ostream(text) << llvm::format(": the Hessian of its inputs was damped by %.2f of its diagonal's "
                                                   "mean, not %.2f: there may be too few samples",
                                                   damp, wanted.damp);
    progress.warn(text);
  }
  return factor;
}

/// The method that quantizes, with what is known of the inputs of a weight's linears.
Expected<Work::Coding> Work::codingOf(const WeightToCode &task, calibrate::Statistics &statistics) {
  const std::string_view method = options.methods.back()->name;
  const formats::Format format = task.format;
  if (method == "gptq") {
    if (!shared || sharedBlock != format.block) {
      Expected<quantize::HessianFactor> made = factor(task, statistics);
      if (!made)
        return made.error();
      shared = std::make_shared<const quantize::HessianFactor>(std::move(*made));
      sharedBlock = format.block;
    }
    return Coding{[this, format, factor = shared](auto rows) {
                    return quantize::gptq(format, rows, *factor, options.gptq, parallelOn(context));
                  },
                  shared->report().damp};
  }
  if (method == "imatrix")
    return Coding{[this, format, &statistics](auto rows) {
      return quantize::imatrix(format, rows, statistics.meanSquare, {}, parallelOn(context));
    }};
  if (method == "hqq")
    return Coding{[this, format](auto rows) { return quantize::hqq(format, rows, {}, parallelOn(context)); }};
  return Coding{[this, format](auto rows) {
    const formats::GridCodec codec(format);
    return quantize::roundOnGrids(
        codec, rows, {}, [&](std::span<const float> block, int64_t) { return codec.extremeGrid(block); },
        parallelOn(context));
  }};
}

/// Factors for the columns of all weights that read the same inputs, whose statistics become those of what is left.
Expected<std::shared_ptr<const std::vector<float>>> Work::scaleOf(std::span<const WeightToCode *const> tasks,
                                                                  calibrate::Statistics &statistics) {
  std::vector<std::vector<float>> values;
  std::vector<ScaledWeight> weights;
  for (const WeightToCode *task : tasks) {
    Expected<std::vector<float>> all = coder.values(*task->weight);
    if (!all)
      return all.error();
    values.push_back(std::move(*all));
    weights.push_back({{values.back().data(), task->weight->rows, task->weight->columns}, task->format});
  }
  const formats::Scalar stored = scalarOf(tasks.front()->weight->type);
  Expected<std::vector<float>> scale = chooseInputScale(weights, statistics, stored, parallelOn(context));
  if (!scale)
    return Error{tasks.front()->weight->describe(model) + ", " + scale.error().message};
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

Status Work::code(const Group &group, std::vector<calibrate::Statistics> statistics, uint64_t total) {
  progress.begin("quantizing");
  for (size_t i = 0; i < group.inputs.size(); ++i) {
    shared.reset();
    std::vector<const WeightToCode *> tasks;
    for (const WeightToCode *task : group.tasks)
      if (inputsOf(*task->weight) == group.inputs[i])
        tasks.push_back(task);
    std::shared_ptr<const std::vector<float>> scale;
    if (rescales()) {
      auto chosen = scaleOf(tasks, statistics[i]);
      if (!chosen)
        return chosen.error();
      scale = std::move(*chosen);
    }
    for (const WeightToCode *task : tasks) {
      const Expected<Coding> coding = codingOf(*task, statistics[i]);
      if (!coding)
        return coding.error();
      Expected<CodedWeight> coded = coder.code(
          *task->weight, task->format, scale ? std::span<const float>(*scale) : std::span<const float>(), coding->rows);
      if (!coded)
        return coded.error();
      coded->loss.damp = coding->damp;
      coded->scale = scale;
      keep(std::move(*coded), total);
    }
    statistics[i] = {}; // a Hessian's memory
  }
  return {};
}

Expected<std::vector<CodedWeight>> Work::withData(const std::vector<WeightToCode> &tasks) {
  const Expected<onnx::Model> model = onnx::readModel(options.input, {.externalDataRoot = options.externalDataRoot});
  if (!model)
    return model.error();
  const Expected<CalibrationArrays> arrays = CalibrationArrays::open(options.calibration, *model);
  if (!arrays)
    return arrays.error();
  const std::vector<Group> groups = group(tasks);
  for (size_t i = 0; i < groups.size(); ++i) {
    const std::string which = groups.size() == 1 ? "" : counted(", group", i + 1, groups.size());
    Expected<std::vector<calibrate::Statistics>> statistics = gather(*arrays, groups[i], which);
    if (!statistics)
      return statistics.error();
    if (Status coded = code(groups[i], std::move(*statistics), tasks.size()); !coded)
      return coded.error();
  }
  return std::move(done);
}

Expected<std::vector<CodedWeight>> codeWeights(const QuantizeModelOptions &options, const onnx::Model &model,
                                               const std::vector<WeightToCode> &weights, WeightCoder &coder,
                                               mlir::MLIRContext &context, QuantizeProgress &progress) {
  return Work(options, model, coder, context, progress).run(weights);
}

} // namespace halftone
