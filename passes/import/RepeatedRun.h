// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Finds the repeated layers of a function: an order of operations that follows from the dataflow alone, and in it the
// longest run of equal sequences, each fed by the one before.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace halftone::importer {

/// Whether an operation is a leaf: a weight, a cache or a constant, whose place says nothing about the layer.
bool isLeaf(mlir::Operation *op);

/// Brings the operations of a function into the order in which its results need them: operands first, in their order;
/// what has effects stays in the order that it was in. Equal layers come out in equal order, whatever the order was.
void orderByDataflow(mlir::func::FuncOp function);

/// A result of an operation of a repetition, by its place there.
struct Place {
  size_t op = 0;
  unsigned result = 0;
  auto operator<=>(const Place &) const = default;
};

/// Where an operand of a repetition comes from.
struct OperandSource {
  enum class Kind : uint8_t {
    Same,    ///< the result at \p place of this repetition
    Carried, ///< the result at \p place of the one before
    Outside, ///< number \p index of what comes from outside
    Constant ///< a constant to copy
  };
  Kind kind = Kind::Constant;
  Place place = {};
  size_t index = 0;
};

/// Equal sequences of operations, one after another.
struct Run {
  /// [repetition][place], without leaves.
  std::vector<llvm::SmallVector<mlir::Operation *>> repetitions;
  /// [place][operand]. The same value may come from outside in one repetition for two different reasons.
  std::vector<llvm::SmallVector<OperandSource>> sources;
  /// What a repetition takes from the one before it, and before the first the values that stand for them.
  llvm::SmallVector<Place> carried;
  llvm::SmallVector<mlir::Value> initial;
  /// Values from outside, one for each repetition: weights, caches, and what all share. In order of first use.
  std::vector<llvm::SmallVector<mlir::Value>> outside;
  /// What operations after the run read of the last repetition, beside what is carried.
  llvm::SmallVector<Place> leftBehind;
};

/// The run covering most operations; of those the one with the shortest sequence, then the fewest carried values.
/// Nothing when no sequence repeats.
std::optional<Run> findRun(mlir::func::FuncOp function);

} // namespace halftone::importer
