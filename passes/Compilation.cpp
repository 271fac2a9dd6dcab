// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Running passes, and what stages record and look up beside them.
#include "passes/Compilation.h"

#include "dialects/lowbit/Facts.h"
#include "dialects/lowbit/WeightUses.h"
#include "lib/evaluate/Sequences.h"
#include "lib/io/AtomicFile.h"
#include "lib/io/Sha256.h"
#include "passes/Fallbacks.h"
#include "passes/OwnSamples.h"
#include "passes/Register.h"
#include "passes/WeightReport.h"
#include "passes/import/ContextLength.h"
#include "passes/package/NeededFeatures.h"
#include "passes/quantize/Passes.h"
#include "passes/targets/Target.h"

#include "dialects/lowbit/StoredWeights.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassInstrumentation.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace halftone {
namespace {

/// Counts the passes on the module. Passes on functions run inside of one of those, on other threads.
class PassCounter : public PassInstrumentation {
public:
  PassCounter(Stage stage, uint64_t total, Progress &progress) : stage(stage), total(total), progress(progress) {}

  void runAfterPass(Pass *, Operation *op) override {
    if (isa<ModuleOp>(op))
      progress.advance(stage, ++done, total);
  }

private:
  Stage stage;
  uint64_t done = 0, total;
  Progress &progress;
};

} // namespace

static DialectRegistry projectDialects() {
  DialectRegistry registry;
  registerDialects(registry);
  return registry;
}

Compilation::Compilation(const PipelineOptions &options, Inputs given, io::WorkFolder work, Progress &progress)
    : options(options), inputs(std::move(given)), work(std::move(work)), progress(progress),
      context(projectDialects(), MLIRContext::Threading::DISABLED),
      diagnostics(context, llvm::sys::path::filename(options.input).str(),
                  [&progress](const std::string &message) { progress.warn(message); }) {
  if (options.threads != 1) {
    threads = std::make_unique<llvm::DefaultThreadPool>(llvm::hardware_concurrency(options.threads));
    context.setThreadPool(*threads);
  }
  context.printOpOnDiagnostic(false); // an error names a node; the IR is in the dumps
  module = ModuleOp::create(UnknownLoc::get(&context));
}

Status Compilation::runPasses(Stage stage, llvm::function_ref<void(OpPassManager &)> add) {
  PassManager passes(&context, ModuleOp::getOperationName());
  add(passes);
  passes.addInstrumentation(std::make_unique<PassCounter>(stage, passes.size(), progress));
  if (failed(passes.run(*module)))
    return error(stage);
  return {};
}

std::string Compilation::weightFile(const std::string &name) const {
  return options.keepWeights ? options.dumpFolder + "/weights/" + name : work / name;
}

Status Compilation::setTarget() {
  const Expected<SmallVector<kernel::TargetAttr>> all = targets::parseTargets(context, options.target);
  if (!all)
    return Error{"--target: " + all.error().message};
  if (all->size() == 1)
    (*module)->setAttr(kernel::targetAttrName, all->front());
  else
    (*module)->setAttr(kernel::targetsAttrName,
                       ArrayAttr::get(&context, SmallVector<Attribute>(all->begin(), all->end())));
  return {};
}

Expected<std::string> Compilation::runtimeFolder() {
  const FailureOr<SmallVector<kernel::TargetAttr>> all = targets::targetsOf(*module);
  if (failed(all))
    return error(Stage::Package);
  const std::string family = targets::familyName(all->front()), folder = options.runtimeFolder + "/" + family;
  if (!llvm::sys::fs::is_directory(folder))
    return Error{"--target: no executable can be linked for " + family + ": " + folder +
                 " is not there; halftone makes it where that family's C library is installed"};
  return folder;
}

Status Compilation::readModule() {
  OwningOpRef<ModuleOp> parsed = parseSourceFile<ModuleOp>(options.input, ParserConfig(&context));
  if (!parsed)
    return error(Stage::Import);
  module = std::move(parsed);
  return {};
}

void Compilation::setDefaultContext() {
  if (!(*module)->hasAttr(facts::context))
    (*module)->setAttr(facts::context, Builder(&context).getI64IntegerAttr(importer::defaultContext));
}

Status Compilation::checkTokenizer() {
  auto forward = module->lookupSymbol<func::FuncOp>("forward");
  if (!inputs.tokenizer || !forward || forward.getNumResults() == 0)
    return {};
  auto logits = dyn_cast<RankedTensorType>(forward.getResultTypes().front());
  return logits ? inputs.tokenizer->checkAgainst(logits.getShape().back()) : Status();
}

/// Whether a file of samples holds arrays of token ids.
static bool isArray(StringRef path) { return path.ends_with(".npy") || path.ends_with(".npz"); }

Status Compilation::readSamples() {
  const CalibrationOptions &calibration = options.calibration;
  if (calibration.data.empty())
    return {};
  auto forward = module->lookupSymbol<func::FuncOp>("forward");
  if (!forward || forward.getNumResults() == 0)
    return Error{options.input + ": no forward function to calibrate"};
  const int64_t vocabulary = cast<RankedTensorType>(forward.getResultTypes().front()).getShape().back();
  const int64_t context = (*module)->getAttrOfType<IntegerAttr>(facts::context).getInt();
  calibrate::SampleOptions wanted;
  wanted.separator = calibration.separator;
  wanted.length = calibration.length != 0 ? calibration.length : evaluate::defaultLength(wanted.separator, context);
  if (wanted.length > context)
    return Error{"--length: sequences of " + std::to_string(wanted.length) + " tokens, but the model's context is " +
                 std::to_string(context)};
  const int64_t tokens = isSelf(calibration) ? CalibrationOptions::defaultOwnTokens : CalibrationOptions::defaultTokens;
  wanted.samples = calibration.samples != 0 ? calibration.samples : std::max<int64_t>(1, tokens / wanted.length);
  wanted.seed = calibration.seed;
  if (isSelf(calibration))
    return takeOwnSamples(wanted, vocabulary);
  if (!isArray(calibration.data) && !inputs.tokenizer)
    return Error{"--calibrate: " + calibration.data + " is text, which needs the model's tokenizer: --tokenizer=FILE"};
  Expected<calibrate::Samples> read =
      isArray(calibration.data)
          ? calibrate::readTokenSamples(calibration.data, "", wanted, vocabulary)
          : calibrate::readTextSamples(calibration.data, wanted, *inputs.tokenizer->tokenizer, vocabulary);
  if (!read)
    return read.error();
  samples = std::move(*read);
  return {};
}

Status Compilation::takeOwnSamples(const calibrate::SampleOptions &wanted, int64_t vocabulary) {
  if (Status checked = calibrate::checkLength(wanted); !checked)
    return checked;
  if (options.dryRun) { // counts what it would write at most
    samples.emplace(std::vector(wanted.samples, std::vector<int64_t>(wanted.length)), wanted.samples);
    return {};
  }
  if (Status opened = openJournal("self, samples=" + std::to_string(wanted.samples) + ", length=" +
                                  std::to_string(wanted.length) + ", seed=" + std::to_string(wanted.seed));
      !opened)
    return opened;
  Expected<calibrate::Samples> written = writeOwnSamples(*this, wanted, vocabulary);
  if (!written)
    return written.error();
  samples = std::move(*written);
  return {};
}

/// Of `texts`, which none of them holds a line's end.
static std::string hashOf(ArrayRef<std::string> texts) {
  const std::string all = llvm::join(texts, "\n");
  return io::sha256Hex(std::as_bytes(std::span(all)));
}

Expected<calibrate::Fingerprint> Compilation::fingerprint() {
  std::vector<package::HashedFile> files;
  std::optional<package::HashedFile> tokenizer;
  if (Status taken = takeHashes(files, tokenizer); !taken)
    return taken.error();
  std::vector<std::string> model;
  for (const package::HashedFile &file : files)
    model.push_back(file.sha256);
  const std::string prepared = options.rotate ? "rotate" : options.foldNormScale ? "fold_norm_scale" : "";
  return calibrate::Fingerprint{hashOf(model), samples ? samples->fingerprint() : "", hashOf(prepared)};
}

Status Compilation::openStatistics() {
  Expected<calibrate::StatisticsFile> file = calibrate::StatisticsFile::open(options.calibration.statistics);
  if (!file)
    return file.error();
  Expected<calibrate::Fingerprint> here = fingerprint();
  if (!here)
    return here.error();
  here->data = file->fingerprint().data; // which is not here
  if (Status same = file->check(*here); !same)
    return same;
  statistics = std::move(*file);
  calibrate::recordStatistics(*module, *statistics);
  return {};
}

/// The options that decide the bytes of weights, by name; those of calibration only where there is some.
static std::map<std::string, std::string> decisions(const PipelineOptions &options) {
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

Status Compilation::openJournal(const std::string &data) {
  if (journal || options.output.empty())
    return {};
  const Expected<std::vector<package::HashedFile>> &files = hashes->get();
  if (!files)
    return files.error();
  std::string all = data;
  for (const formats::Format &format : {inputs.formats.weights, inputs.formats.embedding, inputs.formats.head})
    all += "\n" + formats::name(format);
  for (const std::string &candidate : inputs.formats.candidates)
    all += "\n" + candidate;
  for (const auto &[name, value] : decisions(options))
    all += "\n" + name + "=" + value;
  for (const package::HashedFile &file : *files)
    all += "\n" + file.sha256;
  Expected<io::Journal> opened =
      io::Journal::open(options.output + ".work", io::sha256Hex(std::as_bytes(std::span(all))));
  if (!opened)
    return opened.error();
  journal = std::make_shared<io::Journal>(std::move(*opened));
  return {};
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
    const ArrayRef<int64_t> shape = type.getShape();
    const formats::Format &format = type.getFormat().getValue();
    const int64_t rows = shape.size() == 2 ? shape[0] : 1;
    weights.push_back({weight.getSymName().str(),
                       {shape.begin(), shape.end()},
                       formats::name(format),
                       rows * formats::rowBytes(format, shape.back())});
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

std::span<const std::byte> Compilation::tokenizerBytes() const {
  return inputs.tokenizer ? inputs.tokenizer->file.bytes() : std::span<const std::byte>();
}

Status Compilation::writeModule(const std::string &path) const {
  std::string text;
  llvm::raw_string_ostream(text) << **module << '\n';
  return path.empty() ? progress.print(text) : io::writeFile(path, std::as_bytes(std::span(text)));
}

} // namespace halftone
