// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes that make a graph a plain function; Passes.td describes them.
#pragma once

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace halftone {
#define GEN_PASS_DECL
#include "passes/function/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/function/Passes.h.inc"

/// The passes in order, in two halves: from onnx.node on tensors of known shapes to linalg, whose results say what the
/// function gives; and to the LLVM dialect.
void addNodePasses(mlir::OpPassManager &passes);
void addMemoryPasses(mlir::OpPassManager &passes);

/// Registers what bufferization must know of the dialects.
void registerFunctionDialects(mlir::DialectRegistry &registry);
} // namespace halftone
