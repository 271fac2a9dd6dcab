// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From the LLVM dialect to an object file.
#pragma once

#include "mlir/IR/BuiltinOps.h"

namespace halftone {

/// What emitObject can write.
enum class Emit { Object, Assembly, Llvm };

/// Optimizes `module`, which is all LLVM dialect, for its `halftone.target` and gives the text or bytes asked for;
/// with `movable` for code that may be loaded at any address. The result depends on nothing but the module. Errors are
/// reported at the module.
mlir::FailureOr<llvm::SmallVector<char, 0>> emitObject(mlir::ModuleOp module, Emit what = Emit::Object,
                                                       bool movable = false);

} // namespace halftone
