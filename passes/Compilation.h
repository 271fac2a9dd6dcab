// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One model on its way: what the stages of Pipeline.cpp work on and with.
#pragma once

#include "lib/io/WorkFolder.h"
#include "passes/Diagnostics.h"
#include "passes/Inputs.h"
#include "passes/ModuleFormats.h"
#include "passes/Pipeline.h"
#include "passes/package/Info.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"

#include "llvm/Support/ThreadPool.h"

namespace halftone {

class Compilation {
public:
  Compilation(const PipelineOptions &options, Inputs inputs, io::WorkFolder work, Progress &progress);

  /// Runs what `add` puts into a pass manager on the module; each pass on the module is one item of progress.
  Status runPasses(Stage stage, llvm::function_ref<void(mlir::OpPassManager &)> add);

  /// The first error that a pass reported in `stage`.
  Error error(Stage stage) const { return diagnostics.error(name(stage)); }

  /// Records the processor to compile for in the module.
  Status setTarget();
  /// Reads the module from the input, a file of IR.
  Status readModule();
  /// Records the context in the module where the model does not say it.
  void setDefaultContext();
  /// Refuses a tokenizer that names tokens which the imported model does not know.
  Status checkTokenizer();
  /// Begins to hash the files that the model is compiled from.
  void hashSources();
  /// Notes the weights and their formats, which only the stages before lower know.
  void listWeights();
  /// Says in `info` what the model was compiled from and how; after the weights are packed.
  Status describe();

  std::span<const std::byte> tokenizerBytes() const;
  /// Writes the module's text to `path`, whole or not at all, or gives it to `progress` when `path` is empty.
  Status writeModule(const std::string &path) const;

  const PipelineOptions &options;
  const Inputs inputs;
  const io::WorkFolder work;
  Progress &progress;
  std::string info;

private:
  int64_t recorded(llvm::StringRef attribute) const;

  std::unique_ptr<llvm::DefaultThreadPool> threads;
  std::optional<package::SourceHashes> hashes;
  std::vector<package::WeightInfo> weights;
  ModuleFormats weightFormats;
  mlir::MLIRContext context;
  DiagnosticCollector diagnostics;

public:
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace halftone
