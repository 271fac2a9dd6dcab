// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads the numbers of a decoder from its imported module.
#pragma once

#include "passes/Architecture.h"

#include "mlir/IR/BuiltinOps.h"

namespace halftone::importer {

/// What the imported `module` says of itself. Its weights' files must still be there: angles are read from their
/// tables.
Architecture describe(mlir::ModuleOp module);

} // namespace halftone::importer
