// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The import stage as one: from a model's file to @forward.
#pragma once

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

namespace halftone {

struct ImportOptions {
  std::string path;             ///< the model, .onnx
  std::string externalDataRoot; ///< a folder where external data may lie too; empty for none
  int64_t context = 0;          ///< the longest sequence; 0: what the model says
  std::string workFile;         ///< where tables computed while importing go
};

/// Adds the stage's passes, in order.
void buildImport(mlir::OpPassManager &manager, const ImportOptions &options);

/// Fills an empty module. Errors are diagnostics that name file and node.
llvm::LogicalResult runImport(mlir::ModuleOp module, const ImportOptions &options);

/// Registers the passes, and the pipeline `import` of them all.
void registerImport();

} // namespace halftone
