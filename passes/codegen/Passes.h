// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of the codegen stage; Passes.td describes them.
#pragma once

#include "dialects/kernel/Kernel.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace halftone {
#define GEN_PASS_DECL
#include "passes/codegen/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/codegen/Passes.h.inc"

/// The passes of the stage in order, down to the LLVM dialect.
void addCodegenPasses(mlir::OpPassManager &passes);
/// Its two halves, for functions that are not a decoder's phases: no `kernel` operation is left after the first, none
/// but LLVM's after the second.
void addKernelOpPasses(mlir::OpPassManager &passes);
void addLlvmPasses(mlir::OpPassManager &passes);
} // namespace halftone
