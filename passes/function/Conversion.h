// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One ONNX node on its way to linalg, and the tables of what each operator becomes, one per family.
#pragma once

#include "passes/function/ElementType.h"
#include "passes/function/TensorBuilder.h"
#include "passes/import/Node.h"

#include <optional>

namespace halftone::function {

using onnx::NodeOp;

/// What must hold of indices that are known only when the graph runs.
struct IndexCheck {
  /// tensor<1xi64>: the first index that lies outside, else 0.
  mlir::Value outside;
  int64_t size; ///< indices are those of so many elements, from -size to size - 1
};

/// The attribute of a result that is an IndexCheck's `outside`: its node, as errors name it, and its size.
inline constexpr llvm::StringLiteral indicesOfAttribute = "halftone.indices_of", indexedAttribute = "halftone.indexed";

/// A node whose inputs are tensors of known shape.
struct Conversion {
  NodeOp node;
  TensorBuilder b;
  /// As they are held (ElementType.h). Null for an input that is absent.
  llvm::SmallVector<mlir::Value, 8> inputs;
  /// The inputs' element types in the graph.
  llvm::SmallVector<mlir::Type, 8> types;
  /// The shapes of the outputs, where they follow from the inputs' shapes; else nothing.
  llvm::SmallVector<std::optional<llvm::SmallVector<int64_t>>, 2> shapes;

  /// The results' element type in the graph, where a conversion chooses it. Otherwise it is that of the input which the
  /// operator's row names, where results are held like it.
  mlir::Type given = {};

  llvm::SmallVector<IndexCheck, 1> checks = {};

  bool has(size_t i) const { return i < inputs.size() && inputs[i]; }
  mlir::Value input(size_t i) const { return has(i) ? inputs[i] : mlir::Value(); }
  bool isUnsigned(size_t i) const { return has(i) && types[i].isUnsignedInteger(); }
  /// The input as signed integers: unsigned ones twice as wide. `like` gives a result its input's type again.
  mlir::Value signedInput(size_t i);
  mlir::Value like(mlir::Value result, size_t i) { return b.cast(result, elementOf(inputs[i])); }
  /// Whether somebody reads output `i`.
  bool wants(size_t i) { return i < node.getNumResults() && !node.getResult(i).use_empty(); }

  int64_t parameter(llvm::StringRef name, int64_t otherwise) { return importer::parameter(node, name, otherwise); }
  float parameter(llvm::StringRef name, float otherwise) { return importer::parameter(node, name, otherwise); }
  llvm::StringRef parameter(llvm::StringRef name, llvm::StringRef otherwise);
  /// The constant integers of input `i`, else of the parameter `name` that older opsets have in its place.
  std::optional<llvm::SmallVector<int64_t>> integers(size_t i, llvm::StringRef name);
  /// The constant number that is input `i`.
  std::optional<double> number(size_t i);
  /// Maps a negative axis to 0..rank-1; nothing when it lies outside.
  std::optional<int64_t> axis(int64_t given, int64_t rank) const;
  /// Fails when input `i` is there and has none of these numbers of dimensions.
  mlir::LogicalResult expectRank(size_t i, llvm::ArrayRef<int64_t> allowed);
  /// Fails when input `i` is there and has another shape.
  mlir::LogicalResult expectShape(size_t i, llvm::ArrayRef<int64_t> shape);
  /// Has indices checked when the graph runs: they count `size` elements, from the end where they are below zero. Fails
  /// when constant ones lie outside.
  mlir::LogicalResult expectIndices(mlir::Value indices, int64_t size);
  /// Fails when input `i` is not one element of the type of input 0.
  mlir::LogicalResult expectOne(size_t i);
  /// Reports, at the node, why it cannot be converted.
  mlir::LogicalResult fail(const llvm::Twine &reason);
};

/// "[2, 3]", for errors.
std::string spell(llvm::ArrayRef<int64_t> shape);

/// What the node's outputs become; those that nobody reads may be null.
using Results = llvm::FailureOr<llvm::SmallVector<mlir::Value, 2>>;

struct Operator {
  llvm::StringLiteral domain; ///< "" is ONNX's own
  llvm::StringLiteral name;
  int64_t since;   ///< the first opset in which it means what we take it to mean
  unsigned inputs; ///< how many inputs must be there
  Results (*convert)(Conversion &);
  int like = 0; ///< the input whose element type the results have in the graph, where they are held like it; -1: none
};

/// Range, ConstantOfShape.
llvm::ArrayRef<Operator> generatorOperators();
/// Functions of single elements: Add, Exp, Where, Cast, ...
llvm::ArrayRef<Operator> elementwiseOperators();
/// Elements that change their place: Reshape, Transpose, Slice, Concat, Pad, ...
llvm::ArrayRef<Operator> movementOperators();
/// Elements chosen by other elements: Gather, GatherND, OneHot, ...
llvm::ArrayRef<Operator> selectionOperators();
/// Sums along axes and what is made of them: ReduceMean, Softmax, norms, CumSum.
llvm::ArrayRef<Operator> reductionOperators();
/// MatMul, Gemm, and their integer kin.
llvm::ArrayRef<Operator> productOperators();
/// Windows that slide: Conv, MaxPool, ...
llvm::ArrayRef<Operator> windowOperators();
/// Attention and rotary embedding as one node.
llvm::ArrayRef<Operator> attentionOperators();
/// Between numbers and codes, and on codes: QuantizeLinear, DequantizeLinear, QLinearConv, ...
llvm::ArrayRef<Operator> quantizationOperators();
/// On packed codes in blocks: MatMulNBits, ...
llvm::ArrayRef<Operator> packedOperators();

/// The row of an operator, or null.
const Operator *findOperator(llvm::StringRef domain, llvm::StringRef name);

} // namespace halftone::function
