// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the stage quantize left in the module about its weights, for the report.
#pragma once

#include "lib/report/Report.h"

#include "mlir/IR/BuiltinOps.h"

#include <vector>

namespace halftone {

/// The weights of a quantized module: those of linears in the order in which it computes with them, then the others.
/// \param reference whether they are to be lowered to plain loops instead of kernels.
std::vector<report::Tensor> reportWeights(mlir::ModuleOp module, bool reference);

} // namespace halftone
