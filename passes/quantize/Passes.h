// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of the quantize stage; Passes.td describes them.
#pragma once

#include "dialects/lowbit/Lowbit.h"

#include "lib/io/Journal.h"
#include "passes/calibrate/Divergence.h"
#include "passes/calibrate/Passes.h"

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

#include <functional>

namespace halftone {
#define GEN_PASS_DECL
#include "passes/quantize/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/quantize/Passes.h.inc"

/// Is told, from the thread that runs the pass, how many bytes of the weights to quantize are done, and what there is
/// to say about it, perhaps nothing.
using WeightProgress = std::function<void(uint64_t done, uint64_t total, const std::string &what)>;

/// rtn, telling `progress` after each weight.
std::unique_ptr<mlir::Pass> createRtn(const RtnOptions &options, WeightProgress progress);

/// What the pipeline lends to passes that calibrate while they work.
struct CalibrationRun {
  /// Looks at activations; without one, passes read the statistics that the module names.
  calibrate::MakeRunner makeRunner;
  /// Compares whole models' outputs.
  calibrate::MakeDivergence makeDivergence;
  WeightProgress progress;
  /// Keeps the weights that are done; may be null.
  std::shared_ptr<io::Journal> journal;
};

/// gptq with what the pipeline lends.
std::unique_ptr<mlir::Pass> createGptq(const GptqOptions &options, const CalibrationRun &run);

/// awq and smooth-quant, likewise.
std::unique_ptr<mlir::Pass> createAwq(const AwqOptions &options, const CalibrationRun &run);
std::unique_ptr<mlir::Pass> createSmoothQuant(const SmoothQuantOptions &options, const CalibrationRun &run);

/// hqq, which needs no runner.
std::unique_ptr<mlir::Pass> createHqq(const HqqOptions &options, const CalibrationRun &run);

/// imatrix, likewise.
std::unique_ptr<mlir::Pass> createImatrix(const ImatrixOptions &options, const CalibrationRun &run);

/// On a module: the options that give its weights the formats that allocate-formats chose.
inline constexpr llvm::StringLiteral allocationAttrName = "lowbit.allocation";

/// allocate-formats, with what the pipeline lends.
std::unique_ptr<mlir::Pass> createAllocateFormats(const AllocateFormatsOptions &options, const CalibrationRun &run);

/// On a module: the f64 that attribute-divergence measures; on a weight it is called without the dialect.
inline constexpr llvm::StringLiteral divergenceAttrName = "lowbit.divergence";

/// attribute-divergence, likewise.
std::unique_ptr<mlir::Pass> createAttributeDivergence(const AttributeDivergenceOptions &options,
                                                      const CalibrationRun &run);

struct QuantizeOptions {
  /// Names of formats; empty ones default as PipelineOptions says.
  std::string format, embeddingFormat, headFormat;
  /// "GLOB=FORMAT,...": formats by name, which go before all others.
  std::string formats;
  /// Formats that share a budget; without candidates there is none.
  AllocateFormatsOptions allocate;
  bool untie = false;
  /// Element of contracted activations; f32 leaves activations as they are.
  std::string activations = "int8";
  /// Element of formats in which keys and values are kept; empty: as they are.
  std::string cacheFormat;
  /// The passes that quantize the weights of linears, one after the other; the others are rounded to nearest.
  std::string method = "rtn";
  GptqOptions gptq;
  SmoothQuantOptions smoothQuant;
  calibrate::MakeRunner makeRunner;
  calibrate::MakeDivergence makeDivergence;
  std::shared_ptr<io::Journal> journal;
  /// Whether to measure what each weight does to the outputs.
  bool attribute = false;
  /// Files to write, each only when there is something to put in: derived weights in f32, weights quantized with
  /// calibration, and those rounded to nearest.
  std::string derivedFile, calibratedFile, quantizedFile;
  WeightProgress progress;
};

/// Those that decide formats alone, without measuring anything.
void addDecisionPasses(mlir::OpPassManager &passes, const QuantizeOptions &options);

/// The passes of the stage in order.
void addQuantizePasses(mlir::OpPassManager &passes, const QuantizeOptions &options);
} // namespace halftone
