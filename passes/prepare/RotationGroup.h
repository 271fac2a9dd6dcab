// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which values can only be rotated together, found by following them through operations and calls.
#pragma once

#include "dialects/lowbit/Lowbit.h"

#include "llvm/ADT/SetVector.h"

namespace halftone {

/// What a rotation mixes.
enum class RotatedPart { Channels, Heads };

/// Values that are rotated together, and the operands that bring the weights which make up for it.
struct RotationGroup {
  /// Tensors [tokens, channels] and, when heads are rotated, caches.
  llvm::SetVector<mlir::Value> values;
  /// Matrices of linears that read values, and tables of embeddings that make some: their rows are rotated.
  llvm::SetVector<mlir::OpOperand *> columns;
  /// Matrices of linears that make values, and biases: their columns are rotated.
  llvm::SetVector<mlir::OpOperand *> rows;
};

/// Why values cannot be rotated, and where that is seen.
struct RotationObstacle {
  mlir::Location where;
  std::string why;
};

/// Grows groups in one module, which must not change meanwhile.
class RotationGroups {
public:
  explicit RotationGroups(mlir::ModuleOp module);

  /// The group of `seed`. A rotation passes through sums, products with a number, norms without a scale, and through
  /// attention where it mixes no heads; it ends in linears and embeddings with plain weights. Fails at anything else
  /// that reads or makes a value of the group; `obstacle` says what.
  mlir::FailureOr<RotationGroup> find(mlir::Value seed, RotatedPart part,
                                      std::optional<RotationObstacle> &obstacle) const;

  /// The calls of `function`.
  llvm::ArrayRef<mlir::func::CallOp> callsOf(mlir::func::FuncOp function) const;
  /// The function that `call` calls; null when it has no body.
  mlir::func::FuncOp calleeOf(mlir::func::CallOp call) const;
  /// All handles of the cache that `get` names.
  llvm::ArrayRef<mlir::Value> handlesOf(lowbit::GetOp get) const;

private:
  llvm::DenseMap<mlir::StringAttr, mlir::func::FuncOp> functions;
  llvm::DenseMap<mlir::StringAttr, llvm::SmallVector<mlir::func::CallOp>> calls;
  llvm::DenseMap<mlir::StringAttr, llvm::SmallVector<mlir::Value>> handles;
};

} // namespace halftone
