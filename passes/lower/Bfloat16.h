// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// bf16 as its bits, in integer arithmetic. LLVM would call the C library for each lane where the processor has no such
// conversion; where it has one, that takes denormals for 0. Every target shall round alike.
#pragma once

#include "mlir/IR/Builders.h"

namespace halftone {

/// The bits (i16) of f32 values rounded to nearest, ties to even; a NaN stays one. A scalar or a vector.
mlir::Value roundToBf16(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value floats);

/// The f32 value of bits (i16). A scalar or a vector.
mlir::Value widenBf16(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value bits);

} // namespace halftone
