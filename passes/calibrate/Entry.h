// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The function that is the model.
#pragma once

#include "dialects/lowbit/Lowbit.h"

namespace halftone::calibrate {

/// `forward`; in a module without one the only function that is not called. Reports when there is none.
mlir::FailureOr<mlir::func::FuncOp> entryOf(mlir::ModuleOp module);

} // namespace halftone::calibrate
