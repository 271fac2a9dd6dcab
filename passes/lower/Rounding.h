// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The arithmetic of lib/formats/Rounding.h as operations.
#pragma once

#include "dialects/kernel/Kernel.h"

namespace halftone {

/// Balanced codes of `x`, a vector of f32: roundeven(x / scale) within -limit .. limit, 0 where `scale`, a number, is.
/// As a vector of i32.
mlir::Value roundToCodes(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x, mlir::Value scale, float limit);

} // namespace halftone
