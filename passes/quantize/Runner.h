// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where a quantizing pass gets its statistics from.
#pragma once

#include "passes/calibrate/Passes.h"

namespace halftone::quantize {

/// A runner of `module`: the pipeline's, or, without one, the statistics that the pass calibrate recorded. `method`
/// stands in the error when there are neither.
Expected<std::unique_ptr<calibrate::BlockRunner>> openRunner(mlir::ModuleOp module, llvm::StringRef method,
                                                             const calibrate::MakeRunner &makeRunner,
                                                             const calibrate::Wanted &wanted);

} // namespace halftone::quantize
