// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Follows a weight from its name through calls to the operations that use it.
#pragma once

#include "dialects/lowbit/Lowbit.h"

namespace halftone::lowbit {

/// Calls `visit` with each operand that is `handle`, here or wherever a call hands it on.
void forEachUse(mlir::Value handle, llvm::function_ref<void(mlir::OpOperand &)> visit);

/// Whether `op` derives a weight from others: a pure operation on handles, evaluated in the `quantize` stage.
bool isDerivation(mlir::Operation *op);

/// The uses of all weights and caches of a module, found in one walk; as they were at construction.
class WeightUses {
public:
  explicit WeightUses(mlir::ModuleOp module);

  /// Each operand that is a handle of `weight`: where lowbit.get gives it, and wherever a call hands it on. An operand
  /// that several weights reach is a use of each.
  llvm::ArrayRef<mlir::OpOperand *> of(WeightOp weight) const;
  /// The same of a weight or cache of that name.
  llvm::ArrayRef<mlir::OpOperand *> of(mlir::StringAttr name) const;

  /// Whether a kernel decodes the weight: as the matrix of a linear or the table of an embedding.
  bool isDecoded(WeightOp weight) const;

private:
  llvm::DenseMap<mlir::StringAttr, llvm::SmallVector<mlir::OpOperand *>> uses;
};

} // namespace halftone::lowbit
