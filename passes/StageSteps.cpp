// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each stage: its options out of the pipeline's, and what it reads and leaves beside the module.
#include "passes/StageSteps.h"

#include "lib/io/SystemError.h"
#include "passes/calibrate/CompiledBlocks.h"
#include "passes/calibrate/Passes.h"
#include "passes/codegen/EmitObject.h"
#include "passes/codegen/Passes.h"
#include "passes/fuse/Passes.h"
#include "passes/import/Passes.h"
#include "passes/lower/Passes.h"
#include "passes/package/Library.h"
#include "passes/package/Passes.h"
#include "passes/prepare/Passes.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace halftone {

/// Work files that stages leave to each other, by what they hold.
static constexpr char tables[] = "tables", derived[] = "derived", calibrated[] = "calibrated",
                      quantized[] = "quantized", activations[] = "activations", segment[] = "segment";

static std::string symbolOf(const PipelineOptions &options) {
  return options.symbol.empty() ? package::symbolFor(options.output) : options.symbol;
}

Status runImport(Compilation &model) {
  ImportOptions options;
  options.path = model.options.input;
  options.externalDataRoot = model.options.externalDataRoot;
  options.context = model.options.context;
  options.workFile = model.weightFile(tables);
  if (Status run = model.runPasses(Stage::Import, [&](auto &passes) { addImportPasses(passes, options); }); !run)
    return run;
  model.setDefaultContext();
  return {};
}

/// What import and the stages up to quantize would have made stands in the file.
static Status read(Compilation &model) {
  if (Status parsed = model.readModule(); !parsed)
    return parsed;
  return model.runPasses(Stage::Import, [](auto &passes) { passes.addPass(createVerifyQuantized()); });
}

static Status importModel(Compilation &model) {
  if (isQuantized(model.options))
    if (Status found = read(model); !found)
      return found;
  if (Status set = model.setTarget(); !set)
    return set;
  if (!model.options.dryRun && model.options.stopAfter.value_or(row(wanted(model.options)).stage) == Stage::Package)
    if (const Expected<std::string> folder = model.runtimeFolder(); !folder)
      return folder.error();
  if (!model.options.dryRun) // which ends before they are needed
    model.hashSources();
  if (!isQuantized(model.options))
    if (Status imported = runImport(model); !imported)
      return imported;
  return model.checkTokenizer();
}

static Status prepareModel(Compilation &model) {
  const PrepareOptions options{.foldNormScale = model.options.foldNormScale, .rotate = model.options.rotate};
  return model.runPasses(Stage::Prepare, [&](auto &passes) { addPreparePasses(passes, options); });
}

static std::vector<calibrate::Sequence> sequencesOf(const Compilation &model) {
  std::vector<calibrate::Sequence> sequences;
  for (const std::vector<int64_t> &tokens : model.samples->sequences)
    sequences.push_back({static_cast<int64_t>(tokens.size()), {std::as_bytes(std::span(tokens))}});
  return sequences;
}

/// A runner of the blocks of a module on the samples.
static calibrate::MakeRunner makeRunner(const Compilation &model) {
  return [&model](ModuleOp module, const calibrate::Wanted &wanted) {
    calibrate::RunnerOptions options;
    options.trueSequential = model.options.calibration.trueSequential;
    options.wanted = wanted;
    options.memory = model.options.calibration.memory;
    options.work = model.work / activations;
    return calibrate::compileBlocks(module, sequencesOf(model), options);
  };
}

/// Runs the model as it is on the samples. Weights that are still to be derived are so for the time of the run, and
/// have statistics under the names that they will get.
static Status gatherStatistics(Compilation &model) {
  const Expected<calibrate::Fingerprint> fingerprint = model.fingerprint();
  if (!fingerprint)
    return fingerprint.error();
  OwningOpRef<ModuleOp> kept = model.module->clone();
  const auto addPasses = [&](OpPassManager &passes) {
    passes.addPass(createEvaluateWeights({model.work / derived}));
    CalibrateOptions options;
    options.statistics = model.work / statistics;
    passes.addPass(createCalibrate(options, makeRunner(model), *fingerprint,
                                   [&](uint64_t done, uint64_t total, const std::string &what) {
                                     model.progress.advance(Stage::Calibrate, done, total, what);
                                   }));
  };
  if (Status run = model.runPasses(Stage::Calibrate, addPasses); !run)
    return run;
  model.module = std::move(kept);
  const Expected<calibrate::StatisticsFile> file = calibrate::StatisticsFile::open(model.work / statistics);
  if (!file)
    return file.error();
  calibrate::recordStatistics(*model.module, *file);
  (*model.module)
      ->setAttr(calibrate::statisticsFileAttrName,
                StringAttr::get(model.module->getContext(), statisticsPath(model.options)));
  return {};
}

/// Reads the data and marks where to look. What is seen there is gathered as quantizing goes on, unless statistics are
/// all that is wanted, or are there.
static Status calibrateModel(Compilation &model) {
  if (!model.options.calibration.statistics.empty())
    return model.options.dryRun ? Status() : model.openStatistics();
  if (Status read = model.readSamples(); !read || !model.samples)
    return read;
  ObserveOptions options;
  calibrate::Gather wanted = quantize::gatheredFor(model.inputs.methods);
  if (hasBudget(model.options))
    wanted = wanted | calibrate::Gather::magnitude;
  for (std::string_view what : calibrate::names(wanted))
    options.gather.emplace_back(what);
  Status observed = model.runPasses(Stage::Calibrate, [&](auto &passes) { passes.addPass(createObserve(options)); });
  return observed && gathersStatistics(model.options) ? gatherStatistics(model) : observed;
}

/// What the user decided, without what the pipeline lends.
QuantizeOptions quantizeOptions(const Compilation &model) {
  QuantizeOptions options;
  options.format = formats::name(model.inputs.formats.weights);
  options.embeddingFormat = formats::name(model.inputs.formats.embedding);
  options.headFormat = formats::name(model.inputs.formats.head);
  options.untie = model.options.untie;
  options.cacheFormat = model.options.cacheFormat;
  options.formats = model.options.formats;
  options.allocate.candidates.assign(model.inputs.formats.candidates.begin(), model.inputs.formats.candidates.end());
  options.allocate.bits = model.options.bits;
  options.allocate.size = model.options.size;
  const CalibrationOptions &calibration = model.options.calibration;
  options.method = quantize::join(model.inputs.methods);
  options.gptq.damp = calibration.damp;
  options.gptq.actOrder = calibration.actOrder;
  options.gptq.blockOrder = calibration.blockOrder;
  options.gptq.staticGroups = calibration.staticGroups;
  options.gptq.asymmetricCalibration = calibration.asymmetric;
  options.gptq.gridSearch = calibration.gridSearch;
  return options;
}

static Status quantizeModel(Compilation &model) {
  QuantizeOptions options = quantizeOptions(model);
  if (model.samples || model.statistics) {
    const std::string data = model.samples ? model.samples->fingerprint() : model.statistics->fingerprint().data;
    if (Status opened = model.openJournal(data); !opened)
      return opened;
    options.journal = model.journal;
  }
  if (model.samples) {
    options.makeRunner = makeRunner(model);
    options.makeDivergence = [&](ModuleOp module, int64_t tokens) {
      return calibrate::Divergence::create(module, sequencesOf(model), tokens);
    };
    options.attribute = !model.options.report.empty();
  }
  options.derivedFile = model.weightFile(derived);
  options.calibratedFile = model.weightFile(calibrated);
  options.quantizedFile = model.weightFile(quantized);
  options.progress = [&](uint64_t done, uint64_t total, const std::string &what) {
    model.progress.advance(Stage::Quantize, done, total, what);
  };
  if (Status run = model.runPasses(Stage::Quantize, [&](auto &passes) { addQuantizePasses(passes, options); }); !run)
    return run;
  if (const auto chosen = (*model.module)->getAttrOfType<StringAttr>(allocationAttrName))
    model.progress.note("formats chosen: " + chosen.str());
  return {};
}

static Status fuseKernels(Compilation &model) {
  FuseOptions options;
  options.separate = model.options.lowerReference;
  return model.runPasses(Stage::Fuse, [&](auto &passes) { addFusePasses(passes, options); });
}

static Status lowerKernels(Compilation &model) {
  LowerOptions options;
  options.segment = model.work / segment;
  options.reference = model.options.lowerReference;
  return model.runPasses(Stage::Lower, [&](auto &passes) { addLowerPasses(passes, options); });
}

/// Writes the module, which is all LLVM dialect, in one of its last forms.
static Status emit(Compilation &model, Emit form) {
  const FailureOr<SmallVector<char, 0>> bytes = emitObject(*model.module, form, isForOthers(wanted(model.options)));
  if (failed(bytes))
    return model.error(Stage::Codegen);
  return io::writeFile(model.work / object, std::as_bytes(std::span(*bytes)));
}

/// The kernels with the processor's instructions, before they become the LLVM dialect.
static Status emitKernels(Compilation &model) {
  if (Status run = model.runPasses(Stage::Codegen, [](auto &passes) { addKernelOpPasses(passes); }); !run)
    return run;
  return model.writeModule(model.work / object);
}

static Status makeCode(Compilation &model) {
  if (wanted(model.options) == Artifact::Mlir)
    return emitKernels(model);
  if (Status described = model.describe(); !described)
    return described;
  uint64_t weights = 0;
  if (const std::error_code code = llvm::sys::fs::file_size(model.work / segment, weights))
    return io::systemError(model.work / segment, "read its size", code.value());
  EmitFactsOptions facts;
  facts.weights = static_cast<int64_t>(weights);
  facts.tokenizer = static_cast<int64_t>(model.tokenizerBytes().size());
  facts.info = static_cast<int64_t>(model.info.size());
  const auto addPasses = [&](OpPassManager &passes) {
    addCodegenPasses(passes);
    passes.addPass(createEmitVariants());
    passes.addPass(createEmitFacts(facts));
    if (isForOthers(wanted(model.options)))
      passes.addPass(createEmitModel({symbolOf(model.options)}));
  };
  if (Status run = model.runPasses(Stage::Codegen, addPasses); !run)
    return run;
  switch (wanted(model.options)) {
  case Artifact::Llvm:
    return emit(model, Emit::Llvm);
  case Artifact::Assembly:
    return emit(model, Emit::Assembly);
  default:
    return emit(model, Emit::Object);
  }
}

static Status makeProduct(Compilation &model) {
  const Expected<io::MappedFile> weights = io::MappedFile::open(model.work / segment);
  if (!weights)
    return weights.error();
  const auto report = [&](uint64_t written) { model.progress.advance(Stage::Package, written, weights->size()); };
  const package::SegmentSources sources = {*weights, model.tokenizerBytes(), model.info};
  const Artifact artifact = wanted(model.options);
  const Expected<std::string> folder = model.runtimeFolder();
  if (!folder)
    return folder.error();
  if (!isForOthers(artifact))
    return package::packageExecutable(model.work, object, *folder, sources, program, report);
  const std::string symbol = symbolOf(model.options);
  const std::string text = package::headerText(symbol, llvm::sys::path::filename(model.options.input).str());
  if (Status written = io::writeFile(model.work / header, std::as_bytes(std::span(text))); !written)
    return written;
  const package::Bundle bundle = artifact == Artifact::Library ? package::Bundle::Archive : package::Bundle::Object;
  return package::packageLibrary(model.work, object, *folder, sources, bundle, symbol, program, report);
}

ArrayRef<StageStep> stageSteps() {
  static constexpr StageStep steps[] = {
      {Stage::Import, importModel},     {Stage::Prepare, prepareModel}, {Stage::Calibrate, calibrateModel},
      {Stage::Quantize, quantizeModel}, {Stage::Fuse, fuseKernels},     {Stage::Lower, lowerKernels},
      {Stage::Codegen, makeCode},       {Stage::Package, makeProduct},
  };
  return steps;
}

} // namespace halftone
