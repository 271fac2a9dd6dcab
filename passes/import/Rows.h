// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Between the graph's activations, [1, tokens, channels], and lowbit's, [tokens, channels].
#pragma once

#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace halftone::importer {

/// Whether `value` is f32 [1, ?, channels] or [1, n, channels].
bool isBatchedRows(mlir::Value value);
/// `value` as [tokens, channels]: of [1, tokens, channels], or itself where it has two dimensions. What was made by
/// batched() is taken back instead.
mlir::Value toRows(mlir::OpBuilder &builder, mlir::Value value);
/// Channels `first`, first + 1, ... of `value`, as [tokens, count]: all of them are toRows, others a slice.
mlir::Value toRows(mlir::OpBuilder &builder, mlir::Value value, int64_t first, int64_t count);
/// [tokens, channels] as [1, tokens, channels].
mlir::Value batched(mlir::OpBuilder &builder, mlir::Value rows);
/// `rows` in the form that `like` has.
mlir::Value asLike(mlir::OpBuilder &builder, mlir::Value rows, mlir::Value like);

} // namespace halftone::importer
