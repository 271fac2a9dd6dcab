// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which weight gets which format, the codes into a work file, then the model around them.
#include "passes/model/QuantizeModel.h"

#include "passes/model/LinearInputs.h"
#include "passes/model/WeightCoder.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

namespace halftone {

//===-- Formats ---------------------------------------------------------------------------------------------------===//

namespace {

/// A weight, and what it shall become.
struct Task {
  const onnx::LinearWeight *weight;
  formats::Format format;
};

} // namespace

static KeptWeightReport kept(std::string_view name, const onnx::Tensor &tensor, std::string reason) {
  return {std::string(name), onnx::describe(tensor.type, tensor.shape), std::move(reason)};
}

/// The weights to quantize; those that stay as they are go to the report.
static Expected<std::vector<Task>> chooseFormats(const QuantizeModelOptions &options, const onnx::Model &model,
                                                 const onnx::Linears &linears, QuantizeModelReport &report) {
  Expected<FormatRules> rules = FormatRules::create(options.rules);
  if (!rules)
    return rules.error();
  std::vector<Task> tasks;
  for (const onnx::LinearWeight &weight : linears.weights) {
    const formats::Format format = rules->formatOf(weight, options.format);
    if (format == formats::Format::plain(formats::Scalar::F32)) {
      report.kept.push_back(kept(weight.value->name, *weight.tensor, "left alone"));
      continue;
    }
    const Expected<std::string> reason = onnx::checkStyle(*options.style, format, weight);
    if (!reason)
      return Error{weight.describe(model) + ": " + reason.error().message};
    if (reason->empty())
      tasks.push_back({&weight, format});
    else
      report.kept.push_back(kept(weight.value->name, *weight.tensor, *reason));
  }
  for (const onnx::OtherWeight &other : linears.others)
    report.kept.push_back(kept(other.name, *other.tensor, other.reason));
  if (Status matched = rules->checkAllMatched(); !matched)
    return matched.error();
  if (tasks.empty())
    return Error{options.input + ": there is no linear to quantize: no MatMul or Gemm " +
                 (linears.weights.empty() ? "reads a constant matrix" : "may be changed")};
  return tasks;
}

//===-- Codes -----------------------------------------------------------------------------------------------------===//

namespace {

/// Tasks of one method, weight after weight.
class Work {
public:
  Work(const QuantizeModelOptions &options, const onnx::Model &model, WeightCoder &coder, mlir::MLIRContext &context,
       QuantizeProgress &progress)
      : options(options), model(model), coder(coder), context(context), progress(progress) {}

  Expected<std::vector<CodedWeight>> round(const std::vector<Task> &tasks);
  Expected<std::vector<CodedWeight>> compensate(const std::vector<Task> &tasks);

private:
  /// Tasks whose statistics are gathered at once, the inputs of each.
  struct Group {
    std::vector<const Task *> tasks;
    std::vector<LinearInputs> inputs; ///< each once
    int64_t bytes = 0;
  };
  std::vector<Group> group(const std::vector<Task> &tasks) const;
  Expected<std::vector<calibrate::Statistics>> gather(const CalibrationArrays &arrays, const Group &group,
                                                      const std::string &which);
  Expected<quantize::HessianFactor> factor(const Task &task, std::span<double> hessian);
  Status compensate(const Group &group, std::vector<calibrate::Statistics> statistics, uint64_t total);
  void keep(CodedWeight coded, uint64_t total);

  const QuantizeModelOptions &options;
  const onnx::Model &model;
  WeightCoder &coder;
  mlir::MLIRContext &context;
  QuantizeProgress &progress;
  std::vector<CodedWeight> done;
};

} // namespace

static std::string counted(const std::string &what, uint64_t done, uint64_t total) {
  return what + " " + std::to_string(done) + "/" + std::to_string(total);
}

void Work::keep(CodedWeight coded, uint64_t total) {
  done.push_back(coded);
  progress.advance(counted("quantizing weight", done.size(), total), done.size(), total);
}

Expected<std::vector<CodedWeight>> Work::round(const std::vector<Task> &tasks) {
  progress.begin("quantizing");
  for (const Task &task : tasks) {
    Expected<CodedWeight> coded = coder.round(*task.weight, task.format);
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

/// Neighbours share a group as long as their statistics fit the memory together.
std::vector<Work::Group> Work::group(const std::vector<Task> &tasks) const {
  std::vector<Group> groups(1);
  for (const Task &task : tasks) {
    const LinearInputs inputs = inputsOf(*task.weight);
    const bool isKnown = std::ranges::find(groups.back().inputs, inputs) != groups.back().inputs.end();
    const int64_t bytes = isKnown ? 0 : statisticsBytes(inputs);
    if (!groups.back().tasks.empty() && groups.back().bytes + bytes > options.memory)
      groups.emplace_back();
    Group &group = groups.back();
    group.tasks.push_back(&task);
    if (std::ranges::find(group.inputs, inputs) == group.inputs.end()) {
      group.inputs.push_back(inputs);
      group.bytes += statisticsBytes(inputs);
    }
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
  return gatherStatistics(std::move(*model), arrays, group.inputs, threads, parallelOn(context), [&](int64_t samples) {
    progress.advance(counted("calibrating" + which + ", sample", samples, arrays.count()), samples, arrays.count());
  });
}

Expected<quantize::HessianFactor> Work::factor(const Task &task, std::span<double> hessian) {
  quantize::HessianOptions wanted = options.hessian;
  wanted.block = task.format.block;
  const int64_t columns = task.weight->columns;
  Expected<quantize::HessianFactor> factor =
      quantize::HessianFactor::compute({hessian.data(), columns, columns}, wanted, parallelOn(context));
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

Status Work::compensate(const Group &group, std::vector<calibrate::Statistics> statistics, uint64_t total) {
  progress.begin("quantizing");
  for (size_t i = 0; i < group.inputs.size(); ++i) {
    std::vector<double> hessian = std::move(statistics[i].hessian);
    std::optional<quantize::HessianFactor> shared;
    int64_t block = 0; // of the formats that share it
    for (const Task *task : group.tasks) {
      if (!(inputsOf(*task->weight) == group.inputs[i]))
        continue;
      if (!shared || block != task->format.block) {
        Expected<quantize::HessianFactor> made = factor(*task, hessian);
        if (!made)
          return made.error();
        shared = std::move(*made);
        block = task->format.block;
      }
      Expected<CodedWeight> coded = coder.compensate(*task->weight, task->format, *shared, options.gptq);
      if (!coded)
        return coded.error();
      keep(std::move(*coded), total);
    }
  }
  return {};
}

Expected<std::vector<CodedWeight>> Work::compensate(const std::vector<Task> &tasks) {
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
    if (Status compensated = compensate(groups[i], std::move(*statistics), tasks.size()); !compensated)
      return compensated.error();
  }
  return std::move(done);
}

//===-- The report ------------------------------------------------------------------------------------------------===//

/// The relative error from which on less than three quarters of a weight's energy are left.
static constexpr double tooMuchError = 0.5;

static void warnOfLoss(const onnx::Model &model, const CodedWeight &coded, QuantizeProgress &progress) {
  if (coded.loss.error <= tooMuchError && coded.loss.vanishedBlocks == 0)
    return;
  std::string text = coded.weight->describe(model) + " loses much as " + formats::name(coded.format);
  llvm::raw_string_ostream out(text);
  out << llvm::format(": the relative error is %.3f", coded.loss.error);
  if (coded.loss.vanishedBlocks != 0)
    out << ", " << coded.loss.vanishedBlocks << " blocks that are not zero have the scale 0";
  progress.warn(text);
}

static QuantizedWeightReport reportOn(const CodedWeight &coded, const onnx::StorageStyle &style,
                                      const std::string &otherReader) {
  const onnx::LinearWeight &weight = *coded.weight;
  return {std::string(weight.value->name),
          weight.linears.front().node->label(),
          weight.rows,
          weight.columns,
          coded.format,
          onnx::storedBits(style, coded.format, weight),
          coded.loss.error,
          coded.loss.outputError,
          coded.loss.damp,
          otherReader};
}

//===-- The files -------------------------------------------------------------------------------------------------===//

static std::string externalPath(const QuantizeModelOptions &options) { return options.output + ".data"; }

/// Whether both outputs can be written, so that this is known before any work. \returns the bytes of the input.
static Expected<uint64_t> checkOutput(const QuantizeModelOptions &options, const onnx::Model &model) {
  io::AtomicFileOptions writing;
  uint64_t bytes = 0;
  for (const auto &file : model.files) {
    writing.inputs.push_back(file->path());
    bytes += file->size();
  }
  for (const std::string &path : {options.output, externalPath(options)})
    if (auto probe = io::AtomicFile::create(path, writing); !probe)
      return probe.error();
  return bytes;
}

/// Writes a file of the work folder.
static Status write(const io::Rope &rope, std::string path) {
  Expected<io::AtomicFile> file = io::AtomicFile::create(std::move(path), {.durable = false});
  if (!file)
    return file.error();
  if (Status written = rope.write(*file); !written)
    return written;
  return file->commit();
}

/// Writes both files, then puts them where the user wants them: weights first, so that a model that is there has them.
static Status write(const onnx::ModelFiles &files, const QuantizeModelOptions &options, const io::WorkFolder &work) {
  if (Status written = write(files.model, work / "model"); !written)
    return written;
  if (files.external) {
    if (Status written = write(files.external->content(), work / "external"); !written)
      return written;
    if (Status published = work.publish("external", externalPath(options)); !published)
      return published;
  }
  return work.publish("model");
}

static Expected<onnx::ModelFiles> describe(const QuantizeModelOptions &options, const onnx::Model &model,
                                           const onnx::Values &values, const WeightCoder &coder,
                                           const std::vector<CodedWeight> &coded) {
  std::vector<onnx::QuantizedWeight> quantized;
  for (const CodedWeight &weight : coded) {
    Expected<formats::StoredMatrix> codes = coder.codes(weight);
    if (!codes)
      return codes.error();
    quantized.push_back({weight.weight, std::move(*codes)});
  }
  const std::string external = externalPath(options);
  return onnx::describeFiles(model, values, quantized, *options.style, llvm::sys::path::filename(external).str());
}

Expected<QuantizeModelReport> quantizeModel(const QuantizeModelOptions &options, QuantizeProgress &progress) {
  progress.begin("reading " + options.input);
  const Expected<onnx::Model> model =
      onnx::readModel(options.input, {.externalDataRoot = options.externalDataRoot, .isLenient = true});
  if (!model)
    return model.error();
  const Expected<uint64_t> bytesBefore = checkOutput(options, *model);
  if (!bytesBefore)
    return bytesBefore.error();
  QuantizeModelReport report;
  const onnx::Values values(*model);
  const onnx::Linears linears = onnx::findLinears(values, *model);
  const Expected<std::vector<Task>> tasks = chooseFormats(options, *model, linears, report);
  if (!tasks)
    return tasks.error();
  const Expected<io::WorkFolder> folder = io::WorkFolder::create(options.output);
  if (!folder)
    return folder.error();
  llvm::DefaultThreadPool threads(llvm::hardware_concurrency(options.threads));
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  if (options.threads != 1)
    context.setThreadPool(threads);
  Expected<WeightCoder> coder = WeightCoder::create(*model, *folder, context);
  if (!coder)
    return coder.error();
  Work work(options, *model, *coder, context, progress);
  const Expected<std::vector<CodedWeight>> coded =
      options.method == QuantizeMethod::Rtn ? work.round(*tasks) : work.compensate(*tasks);
  if (!coded)
    return coded.error();
  if (Status finished = coder->finish(); !finished)
    return finished.error();
  const Expected<onnx::ModelFiles> files = describe(options, *model, values, *coder, *coded);
  if (!files)
    return files.error();
  progress.begin("writing " + options.output);
  if (Status written = write(*files, options, *folder); !written)
    return written.error();
  for (size_t i = 0; i < coded->size(); ++i) {
    report.weights.push_back(reportOn((*coded)[i], *options.style, files->otherReaders[i]));
    warnOfLoss(*model, (*coded)[i], progress);
  }
  report.bytesBefore = *bytesBefore;
  report.bytesAfter = files->model.size() + (files->external ? files->external->content().size() : 0);
  return report;
}

} // namespace halftone
