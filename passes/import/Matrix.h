// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Weights of two dimensions in the direction that an operation wants, whatever direction the file has.
#pragma once

#include "passes/import/Node.h"
#include "passes/import/WeightFiles.h"

namespace halftone::importer {

/// A weight, and whether it is wanted the other way round than its type says.
struct Matrix {
  mlir::Value handle;
  bool turned = false;
};

/// The weight of two dimensions that \p value is, seen through Transpose; nothing when it is none. With \p turned, the
/// caller wants rows where \p value has columns.
std::optional<Matrix> findMatrix(mlir::Value value, bool turned);

/// A handle, before the insertion point of \p builder, to the matrix in its direction: the weight's own name, or a
/// second name, ".transposed", of the same bytes.
mlir::Value orientedHandle(const Matrix &matrix, mlir::OpBuilder &builder);

/// Weights that are only read turned round get their own name back; what nobody names goes away.
void tidyNames(mlir::ModuleOp module);

} // namespace halftone::importer
