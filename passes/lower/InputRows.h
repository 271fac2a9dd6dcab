// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads what a linear multiplies its weight with: rows of plain values, or of activations as quantized (see
// kernel.activation).
#pragma once

#include "dialects/kernel/Kernel.h"

namespace halftone {

/// Emits the reads of one linear's input.
class InputRows {
public:
  InputRows(lowbit::LinearOp linear, mlir::OpBuilder &builder, mlir::Location loc);

  /// A token's elements or codes from `column` on in `count` groups, each as many as a lane of the weight's layout
  /// takes in at once. Rows are padded to whole groups.
  llvm::SmallVector<mlir::Value> groups(mlir::Value token, mlir::Value column, int64_t count);
  /// What a code of the token is worth in `block`, as f32.
  mlir::Value scale(mlir::Value token, mlir::Value block);
  /// The sum of the token's codes in `block`, as i32.
  mlir::Value sum(mlir::Value token, mlir::Value block);

private:
  mlir::Value load(mlir::Value token, mlir::Value column, int64_t count);

  mlir::OpBuilder &builder;
  mlir::Location loc;
  mlir::Value elements, scales, sums;
  int64_t group;
  /// Groups loaded together.
  int64_t atOnce;
  mlir::Type stored, read;
};

} // namespace halftone
