// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The element types of a graph, which have signs and may have less than 8 bits, and those that code computes with. A
// value keeps its type of the graph as the result of a cast; who computes looks through the cast.
#pragma once

#include "mlir/IR/Builders.h"

namespace halftone::function {

/// The element type that TensorProto.DataType calls `number`; null where there is none here.
mlir::Type elementTypeOf(mlir::MLIRContext *context, int64_t number);

/// What elements of a type of the graph are held as: integers without a sign, in whole bytes; booleans are bits.
mlir::Type heldAs(mlir::Type element);

/// A tensor of the graph as it is held.
mlir::Value held(mlir::OpBuilder &builder, mlir::Value tensor);

/// The way back: a held tensor as one of `element`.
mlir::Value asElements(mlir::OpBuilder &builder, mlir::Value tensor, mlir::Type element);

} // namespace halftone::function
