// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rotary embeddings as one operator: the standard's, and the one that came before it.
#include "passes/import/Expansions.h"

using namespace mlir;
using namespace halftone::importer;

/// Where the two operators have their inputs.
namespace {
struct Places {
  size_t cos, sin, positions;
};
} // namespace

static LogicalResult expand(NodeOp node, Evaluator &shapes, const Places &places) {
  const Tensor &input = shapes.evaluate(inputOf(node, 0)), &cos = shapes.evaluate(inputOf(node, places.cos));
  size_t rank = input.shape.size();
  int64_t heads = parameter(node, "num_heads", int64_t(0));
  if (!input.hasShape() || !cos.hasShape() || cos.shape.empty())
    return emitNodeError(node) << "the shapes of its inputs are not known";
  if (rank != 4 && !(rank == 3 && heads > 0))
    return emitNodeError(node) << "its input has " << rank
                               << " dimensions, only 4, or 3 with 'num_heads', are supported";
  if (Value at = inputOf(node, places.positions); at && shapes.evaluate(at).shape.size() != 2)
    return emitNodeError(node) << "its positions are not [batch, tokens]";
  int64_t rotated = parameter(node, "rotary_embedding_dim", int64_t(0));
  if (rotated != 0 && rotated != 2 * cos.shape.back())
    return emitNodeError(node) << "parameter 'rotary_embedding_dim' is " << rotated << ", the table has "
                               << cos.shape.back() << " pairs";
  NodeWriter writer(node);
  // [batch, tokens, heads, size] and rows [batch, tokens, 1, pairs]; or both with tokens and heads the other way.
  bool isSplit = rank == 4;
  Value split = isSplit ? inputOf(node, 0) : writer.reshape(inputOf(node, 0), {0, 0, heads, -1});
  auto rows = [&](size_t i) {
    Value table = inputOf(node, i), at = inputOf(node, places.positions);
    Value row = at ? writer.make("Gather", {table, at}, writer.parameter("axis", int64_t(0))) : table;
    return writer.unsqueeze(row, isSplit ? -3 : -2);
  };
  bool interleaved = parameter(node, "interleaved", int64_t(0)) == 1;
  Value result = rotate(writer, split, rows(places.cos), rows(places.sin), interleaved);
  replaceOutput(node, 0, isSplit ? result : writer.reshape(result, {0, 0, -1}));
  return success();
}

static constexpr Parameter parameters[] = {{"interleaved", 0, 1},
                                           {"num_heads", 0},
                                           {"rotary_embedding_dim", 0},
                                           {"is_packed_batching", 0, 0},
                                           {"scale", 1, 1}};

LogicalResult halftone::importer::expandRotaryEmbedding(NodeOp node, Evaluator &shapes) {
  if (failed(checkParameters(node, parameters)))
    return failure();
  bool isStandard = node.getDomain().empty();
  return expand(node, shapes, isStandard ? Places{1, 2, 3} : Places{2, 3, 1});
}
