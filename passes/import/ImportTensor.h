// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a tensor of the file to a value of the graph: a weight, whose bytes stay where they are, or a constant.
#pragma once

#include "dialects/lowbit/Lowbit.h"
#include "passes/import/ImportGraph.h"

namespace halftone::importer {

class TensorImporter {
public:
  /// Values come at the insertion point of `builder`, weights' names before the operation around it.
  TensorImporter(mlir::SymbolTable &symbols, const onnx::Model &model, GraphUse use, mlir::OpBuilder &builder);

  /// The type of elements in the IR; null for those that have none. In a decoder, half precision is a way to store
  /// numbers: what the graph computes with them is computed in f32.
  mlir::Type elementType(onnx::ElementType type);
  mlir::FailureOr<mlir::DenseElementsAttr> elements(const onnx::Tensor &tensor, llvm::StringRef name);
  /// A handle to a weight, widened where it is a vector, or an arith.constant; of a function an argument (GraphUse).
  mlir::FailureOr<mlir::Value> add(const onnx::Tensor &tensor, llvm::StringRef name);

private:
  mlir::Value addWeight(const onnx::Tensor &tensor, llvm::StringRef name, formats::Scalar scalar);
  mlir::FailureOr<mlir::Value> addConstant(const onnx::Tensor &tensor, llvm::StringRef name);
  mlir::FailureOr<mlir::Value> addToFunction(const onnx::Tensor &tensor, llvm::StringRef name);
  mlir::Value addArgument(const onnx::Location &place, mlir::RankedTensorType type, llvm::StringRef name);
  mlir::FailureOr<mlir::Value> addPacked(const onnx::Tensor &tensor, llvm::StringRef name);

  mlir::SymbolTable &symbols;
  const onnx::Model &model;
  const GraphUse use;
  mlir::OpBuilder &builder;
  std::string source;
};

/// Where errors about something of the file point to.
mlir::Location locationOf(mlir::OpBuilder &builder, llvm::StringRef name);

} // namespace halftone::importer
