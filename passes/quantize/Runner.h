// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where a quantizing pass gets its statistics from.
#pragma once

#include "passes/quantize/Passes.h"

namespace halftone::quantize {

/// A runner of `module`: the pipeline's, or, without one, the statistics that the pass calibrate recorded. `method`
/// stands in the error when there are neither.
Expected<std::unique_ptr<calibrate::BlockRunner>> openRunner(mlir::ModuleOp module, llvm::StringRef method,
                                                             const calibrate::MakeRunner &makeRunner,
                                                             const calibrate::Wanted &wanted);

/// Lets a pass that no pipeline lends anything run the model on the sequences in the file `data`; files that are in the
/// way of nobody get names that begin with `work`.
void runOn(const std::string &data, const std::string &work, CalibrationRun &run);

} // namespace halftone::quantize
