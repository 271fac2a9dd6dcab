// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Follows a weight from its name through calls to the operations that use it.
#pragma once

#include "dialects/lowbit/Lowbit.h"

namespace halftone::lowbit {

/// Calls `visit` with each operand that is the handle `name` of the module around it: where lowbit.get gives it, and
/// wherever a call hands it on. An operand that several weights reach is visited for each.
void forEachUse(mlir::ModuleOp module, llvm::StringRef name, llvm::function_ref<void(mlir::OpOperand &)> visit);

/// The same for one handle: each operand that is `handle`, here or wherever a call hands it on.
void forEachUse(mlir::Value handle, llvm::function_ref<void(mlir::OpOperand &)> visit);

/// Whether `op` derives a weight from others: a pure operation on handles, evaluated in the `quantize` stage.
bool isDerivation(mlir::Operation *op);

/// Whether a kernel decodes the weight: as the matrix of a linear or the table of an embedding.
bool isDecoded(WeightOp weight);

} // namespace halftone::lowbit
