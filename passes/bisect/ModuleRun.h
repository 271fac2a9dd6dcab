// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A file of IR that runs in this process, step by step.
#pragma once

#include "passes/Diagnostics.h"
#include "passes/calibrate/StepCall.h"

#include "mlir/IR/OwningOpRef.h"

namespace halftone::bisect {

class ModuleRun {
public:
  /// Reads `path`. Errors begin with it.
  static Expected<std::unique_ptr<ModuleRun>> open(const std::string &path);

  /// Makes its derived weights, in files that begin with `work`, and compiles it for some sequences.
  Status compile(std::vector<calibrate::Sequence> sequences, const std::string &work);

  const calibrate::Chain &chain() const { return code->chain; }
  /// Runs step number `step` over all sequences, after those before it.
  Status run(size_t step);
  /// What the step gave first: for each sequence f32 [tokens, channels].
  std::vector<std::span<const float>> outputs(size_t step) const;
  /// What it would give with another weight; run(step) comes before.
  Expected<std::vector<std::vector<float>>> outputsWith(size_t step, const calibrate::Trial &trial);
  /// A weight's values, f32.
  Expected<std::vector<float>> values(const std::string &weight);
  /// The name of its format.
  std::string formatOf(const std::string &weight);

  mlir::ModuleOp operator*() { return *module; }

private:
  ModuleRun(std::string path);
  Error failed(const Error &error) const { return {path + ": " + error.message}; }
  std::span<const float> outputsOf(const calibrate::Values &values, size_t step, size_t sequence) const;

  std::string path;
  mlir::MLIRContext context;
  DiagnosticCollector diagnostics;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::optional<calibrate::BlockCode> code;
  std::unique_ptr<calibrate::BlockWeights> weights;
  std::vector<calibrate::Sequence> sequences;
  std::vector<calibrate::Values> kept; // of each sequence
};

} // namespace halftone::bisect
