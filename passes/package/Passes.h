// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of the package stage; Passes.td describes them.
#pragma once

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace halftone {
#define GEN_PASS_DECL
#include "passes/package/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/package/Passes.h.inc"
} // namespace halftone
