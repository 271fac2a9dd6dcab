// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Types of handles follow the weights that they name.
#pragma once

#include "dialects/lowbit/Lowbit.h"

namespace halftone::lowbit {

/// Gives every handle of the module the type of its weight: results of lowbit.get, and from there the arguments of the
/// functions called with them. A function called with different types is cloned for each of them; the first keeps it.
void propagateWeightTypes(mlir::ModuleOp module);

} // namespace halftone::lowbit
