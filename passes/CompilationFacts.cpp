// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is known of a model when it is done: where it came from, its weights, what they lost, how it computes.
#include "passes/Compilation.h"

#include "dialects/lowbit/Facts.h"
#include "dialects/lowbit/StoredWeights.h"
#include "dialects/lowbit/WeightUses.h"
#include "passes/Fallbacks.h"
#include "passes/WeightReport.h"
#include "passes/package/NeededFeatures.h"
#include "passes/quantize/Passes.h"
#include "passes/targets/Target.h"

#include "llvm/Support/Path.h"

using namespace mlir;

namespace halftone {

std::map<std::string, std::string> decisions(const PipelineOptions &options) {
  const auto word = [](bool value) { return std::string(value ? "true" : "false"); };
  const CalibrationOptions &calibration = options.calibration;
  std::map<std::string, std::string> all = {{"fold_norm_scale", word(options.foldNormScale)},
                                            {"lower_reference", word(options.lowerReference)},
                                            {"method", calibration.method},
                                            {"rotate", word(options.rotate)},
                                            {"untie", word(options.untie)}};
  if (!options.formats.empty())
    all["formats"] = options.formats;
  if (!options.cacheFormat.empty())
    all["kv_format"] = options.cacheFormat;
  if (options.bits != 0)
    all["bits"] = std::to_string(options.bits);
  if (options.size != 0)
    all["size"] = std::to_string(options.size);
  if (isCalibrated(calibration))
    all.insert({{"act_order", word(calibration.actOrder)},
                {"asymmetric_calibration", word(calibration.asymmetric)},
                {"block_order", word(calibration.blockOrder)},
                {"damp", std::to_string(calibration.damp)},
                {"grid_search", word(calibration.gridSearch)},
                {"static_groups", word(calibration.staticGroups)},
                {"recorded_statistics", word(!calibration.statistics.empty())},
                {"true_sequential", word(calibration.trueSequential)}});
  return all;
}

void Compilation::hashSources() {
  std::vector<std::string> paths;
  for (const auto &file : inputs.model.files)
    paths.push_back(file->path());
  if (isQuantized(options))
    for (const std::string &path : lowbit::weightFiles(*module))
      paths.push_back(path);
  if (inputs.tokenizer)
    paths.push_back(inputs.tokenizer->file.path());
  hashes.emplace(std::move(paths), /*background=*/options.threads != 1);
}

Status Compilation::checkFallbacks() const {
  std::vector<Fallback> fallbacks;
  for (const report::Tensor &tensor : reported)
    if (!tensor.fallback.empty())
      fallbacks.push_back({tensor.name, tensor.fallback});
  // What is native, or slow by wish, nobody named: there all may.
  const bool isOpen = options.lowerReference || StringRef(options.target).starts_with("native");
  const std::string separator = isOpen && !options.allowFallback.empty() ? "," : "";
  return checkAllowed(fallbacks, (isOpen ? "*" : "") + separator + options.allowFallback);
}

Status Compilation::listWeights() {
  weightFormats = moduleFormats(*module);
  reported = reportWeights(*module, options.lowerReference);
  if (const auto measured = (*module)->getAttrOfType<FloatAttr>(divergenceAttrName))
    divergence = measured.getValueAsDouble();
  const lowbit::WeightUses uses(*module);
  for (auto weight : module->getOps<lowbit::WeightOp>()) {
    if (uses.of(weight).empty())
      continue; // others were derived from it
    const auto type = cast<lowbit::WeightType>(weight.getType());
    weights.push_back({weight.getSymName().str(),
                       {type.getShape().begin(), type.getShape().end()},
                       formats::name(type.getFormat().getValue()),
                       type.storedBytes()});
  }
  return checkFallbacks();
}

int64_t Compilation::recorded(StringRef attribute) const {
  const auto value = (*module)->getAttrOfType<IntegerAttr>(attribute);
  return value ? value.getInt() : 0; // what is missing, emit-facts reports
}

Status Compilation::takeHashes(std::vector<package::HashedFile> &files, std::optional<package::HashedFile> &tokenizer) {
  const Expected<std::vector<package::HashedFile>> &all = hashes->get();
  if (!all)
    return all.error();
  files = *all;
  if (inputs.tokenizer) {
    tokenizer = files.back();
    files.pop_back();
  }
  return {};
}

std::map<std::string, std::string> Compilation::allDecisions() const {
  std::map<std::string, std::string> all = decisions(options);
  if (samples || statistics)
    all["calibration"] = samples ? samples->fingerprint() : statistics->fingerprint().data;
  return all;
}

Expected<report::Report> Compilation::makeReport() {
  std::vector<package::HashedFile> files;
  std::optional<package::HashedFile> tokenizer;
  if (Status taken = takeHashes(files, tokenizer); !taken)
    return taken.error();
  report::Report all;
  all.version = HALFTONE_VERSION;
  for (const auto &[name, sha256] : files)
    all.files.push_back({name, sha256});
  if (tokenizer)
    all.tokenizer = {tokenizer->name, tokenizer->sha256};
  all.format = weightFormats.linears;
  all.embeddingFormat = weightFormats.embedding;
  all.headFormat = weightFormats.head;
  all.options = allDecisions();
  all.divergence = divergence;
  all.tensors = reported;
  return all;
}

/// What number-kernels wrote down.
static std::vector<package::KernelInfo> kernelsOf(ModuleOp module) {
  std::vector<package::KernelInfo> kernels;
  if (auto sites = module->getAttrOfType<ArrayAttr>(facts::sites))
    for (auto site : sites.getAsRange<DictionaryAttr>()) {
      auto text = [&](StringRef key) { return site.getAs<StringAttr>(key).str(); };
      auto number = [&](StringRef key) { return site.getAs<IntegerAttr>(key).getInt(); };
      std::vector<std::string> dots;
      if (auto named = site.getAs<ArrayAttr>("dots"))
        for (auto dot : named.getAsRange<StringAttr>())
          dots.push_back(dot.str());
      kernels.push_back({text("function"), text("does"), number("bytes"), number("operations"),
                         number("position_bytes"), std::move(dots)});
    }
  return kernels;
}

Status Compilation::describe() {
  package::ModelInfo all;
  if (Status taken = takeHashes(all.files, all.tokenizer); !taken)
    return taken;
  all.weights = weights;
  for (const report::Tensor &tensor : reported)
    if (!tensor.fallback.empty())
      all.fallbacks.push_back({tensor.name, tensor.fallback});
  all.format = weightFormats.linears;
  all.embeddingFormat = weightFormats.embedding;
  all.headFormat = weightFormats.head;
  all.parameters = recorded(facts::parameters);
  all.weightBytes = recorded(facts::weightBytes);
  all.decodeBytes = recorded(facts::decodeBytes);
  all.context = recorded(facts::context);
  const FailureOr<SmallVector<kernel::TargetAttr>> targets = targets::targetsOf(*module);
  if (failed(targets))
    return error(Stage::Codegen);
  for (kernel::TargetAttr target : *targets) {
    all.triple = target.getTriple().str();
    all.targets.push_back({target.getCpu().str(), package::neededFeatures(target)});
  }
  all.kernels = kernelsOf(*module);
  all.options = allDecisions();
  info = package::infoJson(all);
  return {};
}

} // namespace halftone
