// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Evaluates any value of @forward for a given number of tokens and length of the past: its shape, its elements where
// they do not depend on token ids, weights or the past's content, and otherwise, on request, each element as a linear
// form over the values that are not known. Recognition by evaluation does not depend on how an exporter spells things.
#pragma once

#include "passes/import/Node.h"
#include "passes/import/Tensor.h"
#include "passes/import/WeightFiles.h"

#include "llvm/ADT/DenseMap.h"

namespace halftone::importer {

/// The two sizes that a run of a decoder chooses.
struct Binding {
  int64_t tokens = 0;
  int64_t past = 0;
};

/// The attribute that marks arguments holding past keys or values: their dynamic dimension is the past's length.
inline constexpr llvm::StringLiteral pastAttribute = "halftone.past";

/// The elements of a known tensor as a constant.
mlir::DenseElementsAttr constantOf(const Tensor &tensor);

class Evaluator {
public:
  enum class Unknowns : bool {
    Opaque, ///< elements not known stay so
    Roots,  ///< a float tensor whose elements are not known becomes linear forms over itself
  };

  Evaluator(Binding binding, WeightFiles &files, Unknowns unknowns = Unknowns::Opaque)
      : binding(binding), files(files), unknowns(unknowns) {}

  /// The value, evaluated together with what it depends on, once. Valid until the IR changes.
  const Tensor &evaluate(mlir::Value value);

  /// Takes \p value to be unknown, of this type and shape, whatever it is computed from.
  void assume(mlir::Value value, const Tensor &like) { store(value, Tensor::ofShape(like.elementType, like.shape)); }

private:
  void evaluateOperation(mlir::Operation *op);
  void evaluateNode(NodeOp node);
  Tensor evaluateArgument(mlir::BlockArgument argument);
  const Tensor &loaded(mlir::Value handle, bool othersKnown);
  void store(mlir::Value value, Tensor tensor);

  Binding binding;
  WeightFiles &files;
  Unknowns unknowns;
  llvm::DenseMap<mlir::Value, std::unique_ptr<Tensor>> memory;
  llvm::DenseMap<mlir::Value, std::unique_ptr<Tensor>> weights; ///< elements of weights that were needed
};

} // namespace halftone::importer
