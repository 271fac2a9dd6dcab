// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading two functions side by side.
#pragma once

#include "passes/bisect/CompareModules.h"

#include "mlir/IR/BuiltinOps.h"

namespace halftone::bisect {

/// The first operation of the function called `name` that differs in the other module, in name, attributes, results or
/// what it reads; formats of weights do not count, nor what is only looked at. Nothing when all are the same, or one
/// has no such function.
std::optional<OperationPair> firstOperation(mlir::ModuleOp first, mlir::ModuleOp second, llvm::StringRef name);

} // namespace halftone::bisect
