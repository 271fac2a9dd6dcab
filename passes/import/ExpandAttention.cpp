// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The standard's Attention, between heads or with heads side by side.
#include "passes/import/Expansions.h"

using namespace mlir;
using namespace halftone::importer;

static constexpr StringLiteral inputs[] = {"Q", "K", "V", "attn_mask", "past_key", "past_value", "nonpad_kv_seqlen"};
static constexpr StringLiteral outputs[] = {"Y", "present_key", "present_value", "qk_matmul_output"};
enum : size_t { queries, keys, values, attentionMask, pastKey, pastValue, supported };

static constexpr Parameter parameters[] = {
    {"is_causal", 0, 0},
    {"kv_num_heads", 0},
    {"q_num_heads", 0},
    {"qk_matmul_output_mode"}, // of an output that nobody reads
    {"scale"},
    {"softcap", 0, 0},
    {"softmax_precision", 1, 1}, // TensorProto.DataType of float
};

LogicalResult halftone::importer::expandAttention(NodeOp node, Evaluator &shapes) {
  if (failed(checkParameters(node, parameters)) || failed(checkInputs(node, inputs, supported)) ||
      failed(checkOutputs(node, outputs, 3)))
    return failure();
  const Tensor &q = shapes.evaluate(inputOf(node, queries)), &k = shapes.evaluate(inputOf(node, keys));
  bool isSplit = q.shape.size() == 4 && k.shape.size() == 4;
  HeadGroups groups;
  groups.heads = isSplit ? q.shape[1] : parameter(node, "q_num_heads", int64_t(0));
  groups.keyHeads = isSplit ? k.shape[1] : parameter(node, "kv_num_heads", int64_t(0));
  if (groups.heads <= 0 || groups.keyHeads <= 0 || groups.heads % groups.keyHeads != 0)
    return emitNodeError(node) << groups.heads << " query heads do not divide by " << groups.keyHeads
                               << " heads of keys and values";
  NodeWriter writer(node);
  // [batch, heads, tokens, size]
  auto split = [&](size_t i, int64_t heads) {
    Value input = inputOf(node, i);
    return isSplit ? input : writer.transpose(writer.reshape(input, {0, 0, heads, -1}), {0, 2, 1, 3});
  };
  auto withPast = [&](size_t i, size_t past, size_t present) {
    Value result = split(i, groups.keyHeads);
    if (Value before = inputOf(node, past))
      result = writer.concat({before, result}, 2);
    replaceOutput(node, present, result);
    return result;
  };
  groups.queries = split(queries, groups.heads);
  groups.keys = withPast(keys, pastKey, 1);
  groups.values = withPast(values, pastValue, 2);
  auto given = node.getParameters().getAs<FloatAttr>("scale");
  auto scale = given ? std::optional(static_cast<float>(given.getValueAsDouble())) : std::nullopt;
  Value mask = inputOf(node, attentionMask);
  Value result = attend(writer, groups, scale, mask, mask && shapes.evaluate(mask).isBoolean());
  replaceOutput(node, 0, isSplit ? result : writer.reshape(writer.transpose(result, {0, 2, 1, 3}), {0, 0, -1}));
  return success();
}
