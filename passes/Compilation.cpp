// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Running passes, and what stages record and look up beside them.
#include "passes/Compilation.h"

#include "dialects/lowbit/Facts.h"
#include "lib/io/AtomicFile.h"
#include "passes/Register.h"
#include "passes/import/ContextLength.h"
#include "passes/targets/Target.h"

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

std::span<const std::byte> Compilation::tokenizerBytes() const {
  return inputs.tokenizer ? inputs.tokenizer->file.bytes() : std::span<const std::byte>();
}

Status Compilation::writeModule(const std::string &path) const {
  std::string text;
  llvm::raw_string_ostream(text) << **module << '\n';
  return path.empty() ? progress.print(text) : io::writeFile(path, std::as_bytes(std::span(text)));
}

} // namespace halftone
