// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of the import stage; Passes.td describes them.
#pragma once

#include "dialects/lowbit/Lowbit.h"
#include "dialects/onnx/Onnx.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace halftone {
#define GEN_PASS_DECL
#include "passes/import/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/import/Passes.h.inc"

struct ImportOptions {
  /// The model, .onnx.
  std::string path;
  /// A folder where external data may lie too; empty for none.
  std::string externalDataRoot;
  /// The longest sequence; 0: what the model says.
  int64_t context = 0;
  /// Where tables computed while importing go.
  std::string workFile;
};

/// The passes of the stage in order: from a model's file to @forward.
void addImportPasses(mlir::OpPassManager &passes, const ImportOptions &options);

/// Registers the stage as one pipeline, `import`.
void registerImportPipeline();
} // namespace halftone
