// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes simple nodes in the place of one that means several.
#pragma once

#include "passes/import/Node.h"

#include <limits>

namespace halftone::importer {

/// The end of a slice that takes all that is there.
inline constexpr int64_t everything = std::numeric_limits<int64_t>::max();

class NodeWriter {
public:
  /// Nodes come before `node`, and are called like it in errors.
  explicit NodeWriter(NodeOp node) : builder(node), node(node) {}

  mlir::Value make(llvm::StringRef type, mlir::ValueRange inputs, llvm::ArrayRef<mlir::NamedAttribute> parameters = {});
  mlir::NamedAttribute parameter(llvm::StringRef name, int64_t value);
  mlir::NamedAttribute parameter(llvm::StringRef name, float value);
  mlir::NamedAttribute parameter(llvm::StringRef name, llvm::ArrayRef<int64_t> values);

  /// Constants: of one dimension, and of none.
  mlir::Value integers(llvm::ArrayRef<int64_t> elements);
  mlir::Value integer(int64_t element);
  mlir::Value number(float element);

  /// The value without dimensions, as int64.
  mlir::Value scalar(mlir::Value value);
  mlir::Value reshape(mlir::Value value, llvm::ArrayRef<int64_t> shape);
  mlir::Value transpose(mlir::Value value, llvm::ArrayRef<int64_t> order);
  mlir::Value unsqueeze(mlir::Value value, llvm::ArrayRef<int64_t> axes);
  mlir::Value concat(mlir::ValueRange values, int64_t axis);
  /// Elements first, first + step, ... before `last` along `axis`; the bounds have one dimension.
  mlir::Value slice(mlir::Value value, mlir::Value first, mlir::Value last, int64_t axis, int64_t step = 1);
  mlir::Value slice(mlir::Value value, int64_t first, int64_t last, int64_t axis);
  /// The size of dimension `axis`, in one dimension.
  mlir::Value sizeOf(mlir::Value value, int64_t axis);

private:
  mlir::OpBuilder builder;
  NodeOp node;
};

} // namespace halftone::importer
