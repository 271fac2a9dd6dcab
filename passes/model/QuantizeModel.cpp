// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which weight gets which format, the codes into a work file, then the model around them.
#include "passes/model/QuantizeModel.h"

#include "passes/Fallbacks.h"
#include "passes/model/CodeWeights.h"
#include "passes/model/CodedJournal.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

namespace halftone {

//===-- Formats ---------------------------------------------------------------------------------------------------===//

static KeptWeightReport kept(std::string_view name, const onnx::Tensor &tensor, std::string reason) {
  return {std::string(name), onnx::describe(tensor.type, tensor.shape), std::move(reason)};
}

/// The weights to quantize; those that stay as they are go to the report.
static Expected<std::vector<WeightToCode>> chooseFormats(const QuantizeModelOptions &options, const onnx::Model &model,
                                                         const onnx::Linears &linears, QuantizeModelReport &report) {
  Expected<FormatRules> rules = FormatRules::create(options.rules);
  if (!rules)
    return rules.error();
  std::vector<WeightToCode> tasks;
  std::vector<Fallback> fallbacks;
  for (const onnx::LinearWeight &weight : linears.weights) {
    const formats::Format format = rules->formatOf(weight, options.format);
    if (format == formats::Format::plain(formats::Scalar::F32)) {
      report.kept.push_back(kept(weight.value->name, *weight.tensor, "left alone"));
      continue;
    }
    const Expected<std::string> reason = onnx::checkStyle(*options.style, format, weight);
    if (!reason)
      return Error{weight.describe(model) + ": " + reason.error().message};
    if (reason->empty()) {
      tasks.push_back({&weight, format});
      continue;
    }
    report.kept.push_back(kept(weight.value->name, *weight.tensor, *reason));
    fallbacks.push_back({std::string(weight.value->name), "stays in f32, " + *reason});
  }
  for (const onnx::OtherWeight &other : linears.others)
    report.kept.push_back(kept(other.name, *other.tensor, other.reason));
  if (Status matched = rules->checkAllMatched(); !matched)
    return matched.error();
  if (Status allowed = checkAllowed(fallbacks, options.allowFallback); !allowed)
    return Error{options.input + ": " + allowed.error().message};
  if (tasks.empty())
    return Error{options.input + ": there is no linear to quantize: no MatMul or Gemm " +
                 (linears.weights.empty() ? "reads a constant matrix" : "may be changed")};
  return tasks;
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
    quantized.push_back({weight.weight, std::move(*codes), weight.scale});
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
  const Expected<std::vector<WeightToCode>> tasks = chooseFormats(options, *model, linears, report);
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
  const Expected<CodedModel> coded = codeWeights(options, *model, *tasks, *coder, context, progress);
  if (!coded)
    return coded.error();
  if (Status finished = coder->finish(); !finished)
    return finished.error();
  const Expected<onnx::ModelFiles> files = describe(options, *model, values, *coder, coded->weights);
  if (!files)
    return files.error();
  progress.begin("writing " + options.output);
  if (Status written = write(*files, options, *folder); !written)
    return written.error();
  if (coded->journal)
    coded->journal->remove();
  for (const auto &[weight, otherReader] : llvm::zip_equal(coded->weights, files->otherReaders)) {
    report.weights.push_back(reportOn(weight, *options.style, otherReader));
    warnOfLoss(*model, weight, progress);
  }
  report.bytesBefore = *bytesBefore;
  report.bytesAfter = files->model.size() + (files->external ? files->external->content().size() : 0);
  return report;
}

} // namespace halftone
