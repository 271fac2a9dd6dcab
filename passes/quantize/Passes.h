// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of the quantize stage; Passes.td describes them.
#pragma once

#include "dialects/lowbit/Lowbit.h"

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

#include <functional>

namespace halftone {
#define GEN_PASS_DECL
#include "passes/quantize/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/quantize/Passes.h.inc"

/// Is told, from the thread that runs the pass, how many bytes of the weights to quantize are done.
using WeightProgress = std::function<void(uint64_t done, uint64_t total)>;

/// rtn, telling `progress` after each weight.
std::unique_ptr<mlir::Pass> createRtn(const RtnOptions &options, WeightProgress progress);

struct QuantizeOptions {
  /// Names of formats; empty ones default as PipelineOptions says.
  std::string format, embeddingFormat, headFormat;
  bool untie = false;
  /// Element of contracted activations; f32 leaves activations as they are.
  std::string activations = "int8";
  /// Files to write, each only when there is something to put in: derived weights in f32, and quantized ones.
  std::string derivedFile, quantizedFile;
  WeightProgress progress;
};

/// The passes of the stage in order.
void addQuantizePasses(mlir::OpPassManager &passes, const QuantizeOptions &options);
} // namespace halftone
