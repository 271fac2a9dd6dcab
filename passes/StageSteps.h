// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What each stage does to a model on its way.
#pragma once

#include "passes/Compilation.h"
#include "passes/quantize/Passes.h"

namespace halftone {

struct StageStep {
  Stage stage;
  Status (*run)(Compilation &);
};

/// In the order of the stages.
llvm::ArrayRef<StageStep> stageSteps();

/// The passes of the stage import alone, on the model's file.
Status runImport(Compilation &model);

QuantizeOptions quantizeOptions(const Compilation &model);

/// What is made in the end.
inline Artifact wanted(const PipelineOptions &options) { return options.emit.value_or(Artifact::Executable); }

/// The work files that are published, by what they hold: statistics of activations; code; an executable or a library;
/// a library's header.
inline constexpr char statistics[] = "statistics", object[] = "model.o", program[] = "program", header[] = "header";

} // namespace halftone
