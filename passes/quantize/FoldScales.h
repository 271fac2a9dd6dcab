// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rescaling weights with what the model's own activations say: the loop that such methods share.
#pragma once

#include "lib/calibrate/BlockRunner.h"
#include "passes/quantize/Passes.h"
#include "passes/quantize/ScaleFold.h"

namespace halftone::quantize {

/// The factors of the columns of `fold`'s readers, `fold.channels` positive ones; `statistics` are of the value
/// between.
using ChooseScale = std::function<Expected<std::vector<float>>(
    const ScaleFold &fold, const calibrate::Statistics &statistics, calibrate::BlockRunner &runner)>;

/// Makes derivations of the weights around every value that linears read which wait for `method`: columns times the
/// factors that `choose` gives, and rows of the producers times their inverses. The factors become weights in the file
/// `work`. Linears wait for what comes after `method` then.
/// \param method one of lib/quantize/Method.h.
mlir::LogicalResult foldScales(mlir::ModuleOp module, llvm::StringRef method, const std::string &work,
                               const CalibrationRun &run, const ChooseScale &choose);

} // namespace halftone::quantize
