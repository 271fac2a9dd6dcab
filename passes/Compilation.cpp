// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Running passes, and what stages record and look up beside them.
#include "passes/Compilation.h"

#include "dialects/lowbit/Facts.h"
#include "lib/io/AtomicFile.h"
#include "passes/Register.h"
#include "passes/import/ContextLength.h"
#include "passes/package/NeededFeatures.h"
#include "passes/targets/Target.h"

#include "dialects/lowbit/StoredWeights.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassInstrumentation.h"

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

void Compilation::listWeights() {
  weightFormats = moduleFormats(*module);
  for (auto weight : module->getOps<lowbit::WeightOp>()) {
    const auto type = cast<lowbit::WeightType>(weight.getType());
    const ArrayRef<int64_t> shape = type.getShape();
    const formats::Format &format = type.getFormat().getValue();
    const int64_t rows = shape.size() == 2 ? shape[0] : 1;
    weights.push_back({weight.getSymName().str(),
                       {shape.begin(), shape.end()},
                       formats::name(format),
                       rows * formats::rowBytes(format, shape.back())});
  }
}

int64_t Compilation::recorded(StringRef attribute) const {
  const auto value = (*module)->getAttrOfType<IntegerAttr>(attribute);
  return value ? value.getInt() : 0; // what is missing, emit-facts reports
}

Status Compilation::describe() {
  const Expected<std::vector<package::HashedFile>> &files = hashes->get();
  if (!files)
    return files.error();
  package::ModelInfo all;
  all.files = *files;
  if (inputs.tokenizer) {
    all.tokenizer = all.files.back();
    all.files.pop_back();
  }
  all.weights = weights;
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
  all.options = {{"fold_norm_scale", options.foldNormScale ? "true" : "false"},
                 {"lower_reference", options.lowerReference ? "true" : "false"},
                 {"untie", options.untie ? "true" : "false"}};
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
