// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a chain of operations on handles says about a weight, read off the IR.
#pragma once

#include "dialects/lowbit/Lowbit.h"

#include <compare>
#include <string>
#include <vector>

namespace halftone::quantize {

/// One thing that is done to all rows of a matrix. A vector is a matrix of one column.
struct DerivationStep {
  enum class Kind { ScaleColumns, ScaleRows, RotateColumns, RotateRows } kind;
  /// Scaling: the weight that holds the factors, and the row that the first factor of rows is for.
  mlir::Operation *factors = nullptr;
  int64_t first = 0;
  /// Rotating: what lib/quantize/Hadamard.h takes.
  int64_t size = 0, seed = 0;

  auto operator<=>(const DerivationStep &) const = default;
};

/// Rows of a named matrix, or elements of a vector, and what is done to them, in order.
struct Derivation {
  lowbit::WeightOp matrix;
  int64_t first = 0, count = 0; ///< rows
  std::vector<DerivationStep> steps;

  /// Equal for derivations that give the same weight.
  auto key() const {
    lowbit::WeightOp source = matrix;
    return std::tuple(source.getOperation(), first, count, steps);
  }

  /// The matrix' name, then what was done with it: `qkv.from288.scaled.rotated`.
  std::string name() const;
};

/// What the derivation `op` computes from named weights; fails, with an error there, when a handle has another source.
mlir::FailureOr<Derivation> traceDerivation(mlir::Operation *op, mlir::SymbolTable &symbols);

} // namespace halftone::quantize
