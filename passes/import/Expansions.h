// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What operators that mean several others mean: each is written out in simple nodes, which the stage understands. Every
// parameter and input is honoured or refused by name.
#pragma once

#include "passes/import/Evaluate.h"
#include "passes/import/NodeWriter.h"

#include <limits>

namespace halftone::importer {

/// A parameter that an expansion knows, and the values of it that it can express.
struct Parameter {
  llvm::StringLiteral name;
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  llvm::StringLiteral text = ""; ///< the value of a string
};

/// Each parameter of `node` is known and within its bounds.
llvm::LogicalResult checkParameters(NodeOp node, llvm::ArrayRef<Parameter> known);

/// Inputs and outputs are those of the operator's description, in order; those from `supported` on must be absent, or
/// for an output unread.
llvm::LogicalResult checkInputs(NodeOp node, llvm::ArrayRef<llvm::StringLiteral> names, size_t supported);
llvm::LogicalResult checkOutputs(NodeOp node, llvm::ArrayRef<llvm::StringLiteral> names, size_t supported);

/// Input `i`, or null where it is absent.
mlir::Value inputOf(NodeOp node, size_t i);
/// Gives `value` to those who read output `i`, if there are any.
void replaceOutput(NodeOp node, size_t i, mlir::Value value);

/// Rotates pairs of channels, the last of four dimensions of `heads`, by the angles in `cos` and `sin`, [..., pairs]:
/// channels (i, i + pairs), or neighbours; those after the last pair stay.
mlir::Value rotate(NodeWriter &writer, mlir::Value heads, mlir::Value cos, mlir::Value sin, bool interleaved);

/// Queries [batch, heads, tokens, size] over keys and values [batch, fewer heads, positions, size] in equal groups.
struct HeadGroups {
  mlir::Value queries, keys, values;
  int64_t heads = 0, keyHeads = 0;
};
/// softmax(scale * queries keys^T, masked) values, [batch, heads, tokens, size]. Without a scale it is 1 / sqrt(size).
/// The mask is added, or says where something is seen; without one, everything is.
mlir::Value attend(NodeWriter &writer, const HeadGroups &groups, std::optional<float> scale, mlir::Value mask,
                   bool isCondition);

/// Writes out one operator, given its inputs' shapes; the caller erases the node. An error names what is not supported.
using Expansion = llvm::LogicalResult (*)(NodeOp node, Evaluator &shapes);
llvm::LogicalResult expandAttention(NodeOp node, Evaluator &shapes);
llvm::LogicalResult expandGroupedAttention(NodeOp node, Evaluator &shapes);
llvm::LogicalResult expandQuickGelu(NodeOp node, Evaluator &shapes);
llvm::LogicalResult expandRotaryEmbedding(NodeOp node, Evaluator &shapes);
llvm::LogicalResult expandSkipNorm(NodeOp node, Evaluator &shapes);

} // namespace halftone::importer
