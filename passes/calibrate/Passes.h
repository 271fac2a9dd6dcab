// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of the calibrate stage; Passes.td describes them.
#pragma once

#include "dialects/lowbit/Lowbit.h"

#include "lib/calibrate/BlockRunner.h"
#include "lib/calibrate/StatisticsFile.h"

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace halftone {
#define GEN_PASS_DECL
#include "passes/calibrate/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/calibrate/Passes.h.inc"

namespace calibrate {

/// Makes a runner of the module as it is now.
using MakeRunner = std::function<Expected<std::unique_ptr<BlockRunner>>(mlir::ModuleOp, const Wanted &)>;

/// On a module: the file of its statistics. On a weight: the name of its own in that file.
inline constexpr llvm::StringLiteral statisticsFileAttrName = "lowbit.statistics_file",
                                     statisticsAttrName = "lowbit.statistics";

/// Says on `module` and its weights that their statistics are those of `file`.
void recordStatistics(mlir::ModuleOp module, const StatisticsFile &file);

/// Is told how many of the observations are done, and where that is.
using ObservationProgress = std::function<void(uint64_t done, uint64_t total, const std::string &what)>;

} // namespace calibrate

/// calibrate with a runner instead of a file of data, and what to say in the file about where it comes from.
std::unique_ptr<mlir::Pass> createCalibrate(const CalibrateOptions &options, calibrate::MakeRunner makeRunner,
                                            const calibrate::Fingerprint &fingerprint,
                                            calibrate::ObservationProgress progress);

} // namespace halftone
