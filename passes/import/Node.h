// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading onnx.node: parameters, constant operands, and how errors call a node.
#pragma once

#include "dialects/onnx/Onnx.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/PatternMatch.h"

#include "llvm/ADT/SetVector.h"

#include <optional>
#include <string>

namespace halftone::importer {

using onnx::NodeOp;

/// The node giving `value` when it is of operator `type`, else null.
NodeOp definedBy(mlir::Value value, llvm::StringRef type);
bool isNode(mlir::Operation *op, llvm::StringRef type);

/// The other operand of a binary node, or null when `known` is none of the two.
mlir::Value otherInput(NodeOp node, mlir::Value known);

/// Parameters, with the operator's default.
int64_t parameter(NodeOp node, llvm::StringRef name, int64_t otherwise);
float parameter(NodeOp node, llvm::StringRef name, float otherwise);
std::optional<llvm::SmallVector<int64_t>> listParameter(NodeOp node, llvm::StringRef name);

/// The elements of a constant of integers; nothing when `value` is none.
std::optional<llvm::SmallVector<int64_t>> constantIntegers(mlir::Value value);
/// The element of a constant holding a single float.
std::optional<float> constantScalar(mlir::Value value);

/// On nodes written in the place of another one: what that was, in operatorOf's words.
inline constexpr llvm::StringLiteral expandedAttribute = "halftone.expanded";

/// "MatMul, opset 17", with the domain where it is not ONNX's own.
std::string operatorOf(NodeOp node);
/// "stories.onnx: node 'model/layers.3/MatMul' (MatMul, opset 17)": the start of every error about a node.
std::string describe(NodeOp node);
/// Starts an error about `node` with describe(node) and ": ".
mlir::InFlightDiagnostic emitNodeError(NodeOp node);

/// The dimensions of a ranked tensor's type; nothing for other types.
std::optional<llvm::ArrayRef<int64_t>> dimensions(mlir::Value value);

/// Makes a node in the file's manner, located and named like `like`.
mlir::Value makeNode(mlir::OpBuilder &builder, NodeOp like, llvm::StringRef type, mlir::ValueRange inputs,
                     mlir::Type result, mlir::ArrayRef<mlir::NamedAttribute> parameters = {});
/// A constant of the type that ONNX gives axes and shapes: int64, one dimension.
mlir::Value makeIntegers(mlir::OpBuilder &builder, mlir::Location location, llvm::ArrayRef<int64_t> elements);

/// What \p value is computed from, itself included, as far as it stands in the same block.
llvm::SetVector<mlir::Operation *> makersOf(mlir::Value value);

/// Erases what computes nothing anyone reads.
void eraseDead(mlir::Operation *root);

} // namespace halftone::importer
