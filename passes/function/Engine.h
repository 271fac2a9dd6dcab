// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions of this process's own processor, from a module.
#pragma once

#include "lib/io/Result.h"

#include "mlir/ExecutionEngine/ExecutionEngine.h"

namespace halftone::function {

/// Compiles a module of the LLVM dialect for the machine that this runs on. Calls that call-products made go to
/// lib/matrix.
Expected<std::unique_ptr<mlir::ExecutionEngine>> makeEngine(mlir::ModuleOp module);

/// The code of a function: it takes the address of each of its arguments.
using Code = void (*)(void **arguments);
Expected<Code> lookUp(mlir::ExecutionEngine &engine, llvm::StringRef function);

} // namespace halftone::function
