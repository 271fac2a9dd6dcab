// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One model on its way: what the stages of StageSteps.cpp work on and with.
#pragma once

#include "lib/calibrate/Samples.h"
#include "lib/calibrate/StatisticsFile.h"
#include "lib/io/Journal.h"
#include "lib/io/WorkFolder.h"
#include "lib/report/Report.h"
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

/// The options that decide the bytes of weights, by name; those of calibration only where there is some.
std::map<std::string, std::string> decisions(const PipelineOptions &options);

class Compilation {
public:
  Compilation(const PipelineOptions &options, Inputs inputs, io::WorkFolder work, Progress &progress);

  /// Runs what `add` puts into a pass manager on the module; each pass on the module is one item of progress.
  Status runPasses(Stage stage, llvm::function_ref<void(mlir::OpPassManager &)> add);

  /// The first error that a pass reported in `stage`.
  Error error(Stage stage) const { return diagnostics.error(name(stage)); }

  /// Records the processor to compile for in the module.
  Status setTarget();
  /// Where what executables for that processor are linked from lies. An error when it was not built.
  Expected<std::string> runtimeFolder();
  /// Reads the module from the input, a file of IR.
  Status readModule();
  /// Records the context in the module where the model does not say it.
  void setDefaultContext();
  /// Refuses a tokenizer that names tokens which the imported model does not know.
  Status checkTokenizer();
  /// Reads what to calibrate on, when the options say so.
  Status readSamples();
  /// Opens the file of statistics that the options name, which must be those of this model as it is prepared.
  Status openStatistics();
  /// What statistics of this model, as it is prepared, and of these samples are made from.
  Expected<calibrate::Fingerprint> fingerprint();
  /// Finds what a killed run of the same command has finished, unless that is known; there is none without an output.
  /// \param data what is calibrated on.
  Status openJournal(const std::string &data);
  /// Begins to hash the files that the model is compiled from.
  void hashSources();
  /// Notes the weights, their formats and what they lost, which only the stages before lower know. Fails when one falls
  /// back that may not.
  Status listWeights();
  /// Says in `info` what the model was compiled from and how; after the weights are packed.
  Status describe();
  /// What quantizing did, after listWeights().
  Expected<report::Report> makeReport();

  /// The path of a file of weights that the IR refers to: in the work folder, unless it is to stay.
  std::string weightFile(const std::string &name) const;
  std::span<const std::byte> tokenizerBytes() const;
  /// Writes the module's text to `path`, whole or not at all, or gives it to `progress` when `path` is empty.
  Status writeModule(const std::string &path) const;

  const PipelineOptions &options;
  const Inputs inputs;
  const io::WorkFolder work;
  Progress &progress;
  std::string info;
  /// What to calibrate on; none without data.
  std::optional<calibrate::Samples> samples;
  /// What is known of activations without samples.
  std::optional<calibrate::StatisticsFile> statistics;
  /// What is finished; null without data and without an output. Kept until the output stands.
  std::shared_ptr<io::Journal> journal;

private:
  /// Lets the model write what to calibrate on.
  Status takeOwnSamples(const calibrate::SampleOptions &wanted, int64_t vocabulary);
  int64_t recorded(llvm::StringRef attribute) const;
  /// Gives the hashes of the model's files and of the tokenizer their places.
  Status takeHashes(std::vector<package::HashedFile> &files, std::optional<package::HashedFile> &tokenizer);
  Status checkFallbacks() const;
  /// The options that decide the bytes of the output, by name.
  std::map<std::string, std::string> allDecisions() const;

  std::unique_ptr<llvm::DefaultThreadPool> threads;
  std::optional<package::SourceHashes> hashes;
  std::vector<package::WeightInfo> weights;
  std::vector<report::Tensor> reported;
  std::optional<double> divergence; ///< that was measured while quantizing
  ModuleFormats weightFormats;
  mlir::MLIRContext context;
  DiagnosticCollector diagnostics;

public:
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace halftone
