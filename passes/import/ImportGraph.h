// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From an ONNX model to onnx.node, one to one.
#pragma once

#include "lib/onnx/Model.h"

#include "mlir/IR/BuiltinOps.h"

namespace halftone::importer {

/// Fills `module` with func.func @graph: an onnx.node for every node, a lowbit.weight for every trained tensor (its
/// bytes stay in the file), an arith.constant for everything else. Sets halftone.source, and halftone.context where
/// `context` is given or the model or the configuration beside it says one. Errors name file and node or tensor.
llvm::LogicalResult importGraph(mlir::ModuleOp module, const onnx::Model &model, int64_t context);

} // namespace halftone::importer
