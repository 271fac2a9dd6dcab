// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What evaluating one ONNX operator means: a table from its name to a function of evaluated inputs. Every function
// gives shapes wherever the inputs have shapes, and elements wherever they have elements.
#pragma once

#include "passes/import/Node.h"
#include "passes/import/Tensor.h"

#include <optional>

namespace halftone::importer {

/// A node and its evaluated inputs; an absent input is null.
struct Call {
  mutable NodeOp node; // op handles have no const accessors
  llvm::SmallVector<const Tensor *, 4> inputs;

  bool has(size_t i) const { return i < inputs.size() && inputs[i]; }
  const Tensor &input(size_t i) const { return *inputs[i]; }
  /// The integers of input `i`, or of the parameter `name` that older opsets have in its place.
  std::optional<llvm::SmallVector<int64_t>> integers(size_t i, llvm::StringRef name) const;
};

/// The outputs; nothing when the inputs do not fit the operator, or when a shape depends on elements not known.
using Outputs = std::optional<llvm::SmallVector<Tensor, 1>>;
using OperatorFunction = Outputs (*)(const Call &);

struct Operator {
  llvm::StringLiteral name;
  OperatorFunction evaluate;
};

/// Operators that only move elements: Reshape, Transpose, Slice, Concat, Gather, Where with a known condition, ...
llvm::ArrayRef<Operator> movementOperators();
/// Operators on single elements, with broadcasting.
llvm::ArrayRef<Operator> arithmeticOperators();
/// Reductions, running sums and matrix products.
llvm::ArrayRef<Operator> reductionOperators();
/// Shape, Range, ConstantOfShape, Cast: from shapes to elements and between types.
llvm::ArrayRef<Operator> shapeOperators();
/// Operators whose elements nobody needs before the model runs: their shapes only.
llvm::ArrayRef<Operator> opaqueOperators();

/// The row of `name` in one of the tables, or null.
const Operator *findOperator(llvm::StringRef name);

/// Maps a negative axis to 0..rank-1; nothing when it lies outside.
std::optional<int64_t> normalizeAxis(int64_t axis, size_t rank);

/// Sums, products and negation of linear forms; unknown where the result is no linear form.
Tensor negateForms(const Tensor &a);
Tensor combineForms(llvm::StringRef name, const Call &call, llvm::ArrayRef<int64_t> shape);

} // namespace halftone::importer
