// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attention with a rotation, a cache and a causal mask inside. Positions and mask are computed from the operator's own
// lengths, so that later passes see whether they are those of a decoder.
#include "passes/import/Expansions.h"

using namespace mlir;
using namespace halftone::importer;

static constexpr StringLiteral inputs[] = {"query",
                                           "key",
                                           "value",
                                           "past_key",
                                           "past_value",
                                           "seqlens_k",
                                           "total_sequence_length",
                                           "cos_cache",
                                           "sin_cache",
                                           "position_ids",
                                           "attention_bias",
                                           "head_sink",
                                           "k_scale",
                                           "v_scale",
                                           "q_norm_weight",
                                           "k_norm_weight"};
static constexpr StringLiteral outputs[] = {"output", "present_key", "present_value", "output_qk"};
enum : size_t {
  query,
  key,
  value,
  pastKey,
  pastValue,
  lastPosition,
  totalLength,
  cosines,
  sines,
  positionIds,
  supported
};

static constexpr Parameter parameters[] = {
    {"num_heads", 1},
    {"kv_num_heads", 1},
    {"scale"},
    {"do_rotary", 0, 1},
    {"rotary_interleaved", 0, 1},
    {"local_window_size", -1},
    {"softcap", 0, 0},
    {"smooth_softmax", -1, 0},
    {"causal", 1, 1},
    {"unidirectional", 1, 1},
    {"is_past_bsnh", 0, 0},
    {"sliding_window_cache", 0, 0},
    {"qk_output", 0, 0},
    {"k_quant_type", 0, 0, "NONE"},
    {"v_quant_type", 0, 0, "NONE"},
    {"kv_cache_bit_width"}, // says nothing where nothing is quantized
    {"qk_norm_epsilon"},    // of norms whose weights are absent
};

namespace {

class Expander {
public:
  explicit Expander(NodeOp node) : node(node), writer(node) {}
  LogicalResult run();

private:
  LogicalResult check();
  void split();
  void place();
  void turn();
  Value withPast(Value heads, size_t past, size_t present);
  Value mask();

  NodeOp node;
  NodeWriter writer;
  HeadGroups groups; ///< [batch, tokens, heads, size] until the cache is before them
  Value positions;   ///< [tokens]
};

} // namespace

LogicalResult Expander::check() {
  if (failed(checkParameters(node, parameters)) || failed(checkInputs(node, inputs, supported)) ||
      failed(checkOutputs(node, outputs, 3)))
    return failure();
  auto together = [&](size_t a, size_t b) -> LogicalResult {
    if (static_cast<bool>(inputOf(node, a)) == static_cast<bool>(inputOf(node, b)))
      return success();
    return emitNodeError(node) << "of '" << inputs[a] << "' and '" << inputs[b] << "' only one is given";
  };
  if (failed(together(key, value)) || failed(together(pastKey, pastValue)) || failed(together(cosines, sines)))
    return failure();
  for (size_t i : {lastPosition, totalLength})
    if (!inputOf(node, i))
      return emitNodeError(node) << "input '" << inputs[i] << "' is missing";
  groups.heads = parameter(node, "num_heads", int64_t(0));
  groups.keyHeads = parameter(node, "kv_num_heads", int64_t(0));
  if (groups.heads <= 0 || groups.keyHeads <= 0 || groups.heads % groups.keyHeads != 0)
    return emitNodeError(node) << groups.heads << " query heads do not divide by " << groups.keyHeads
                               << " heads of keys and values";
  if (parameter(node, "local_window_size", int64_t(-1)) == 0)
    return emitNodeError(node) << "parameter 'local_window_size' is 0, only -1 or a size is supported";
  if (parameter(node, "do_rotary", int64_t(0)) == 1 && !inputOf(node, cosines))
    return emitNodeError(node) << "parameter 'do_rotary' is 1, but 'cos_cache' and 'sin_cache' are not given";
  return success();
}

/// Heads of queries, keys and values: of three inputs, or of one that has them after one another.
void Expander::split() {
  int64_t heads = groups.heads, keyHeads = groups.keyHeads;
  if (inputOf(node, key)) {
    groups.queries = writer.reshape(inputOf(node, query), {0, 0, heads, -1});
    groups.keys = writer.reshape(inputOf(node, key), {0, 0, keyHeads, -1});
    groups.values = writer.reshape(inputOf(node, value), {0, 0, keyHeads, -1});
    return;
  }
  Value all = writer.reshape(inputOf(node, query), {0, 0, heads + 2 * keyHeads, -1});
  groups.queries = writer.slice(all, 0, heads, 2);
  groups.keys = writer.slice(all, heads, heads + keyHeads, 2);
  groups.values = writer.slice(all, heads + keyHeads, heads + 2 * keyHeads, 2);
}

/// The new tokens are the last of those that there are then.
void Expander::place() {
  Value end = writer.make("Add", {writer.scalar(inputOf(node, lastPosition)), writer.integer(1)});
  Value start = writer.make("Sub", {end, writer.scalar(writer.sizeOf(inputOf(node, query), 1))});
  positions = writer.make("Range", {start, end, writer.integer(1)});
}

/// Queries and keys turn by the angles of their positions.
void Expander::turn() {
  Value at = inputOf(node, positionIds) ? inputOf(node, positionIds) : positions;
  auto rows = [&](size_t table) {
    Value row = writer.make("Gather", {inputOf(node, table), at}, writer.parameter("axis", int64_t(0)));
    return writer.unsqueeze(row, {-2});
  };
  Value cos = rows(cosines), sin = rows(sines);
  bool interleaved = parameter(node, "rotary_interleaved", int64_t(0)) == 1;
  groups.queries = rotate(writer, groups.queries, cos, sin, interleaved);
  groups.keys = rotate(writer, groups.keys, cos, sin, interleaved);
}

/// [batch, heads, positions, size]: the past's, then the new ones.
Value Expander::withPast(Value heads, size_t past, size_t present) {
  Value result = writer.transpose(heads, {0, 2, 1, 3});
  if (Value before = inputOf(node, past))
    result = writer.concat({before, result}, 2);
  replaceOutput(node, present, result);
  return result;
}

/// [tokens, positions]: which positions a token sees.
Value Expander::mask() {
  Value all = writer.make("Range", {writer.integer(0), writer.scalar(inputOf(node, totalLength)), writer.integer(1)});
  Value keys = writer.unsqueeze(all, {0}), tokens = writer.unsqueeze(positions, {1});
  Value seen = writer.make("LessOrEqual", {keys, tokens});
  int64_t window = parameter(node, "local_window_size", int64_t(-1));
  if (window < 0)
    return seen;
  Value distance = writer.make("Sub", {tokens, keys});
  return writer.make("And", {seen, writer.make("Less", {distance, writer.integer(window)})});
}

LogicalResult Expander::run() {
  if (failed(check()))
    return failure();
  split();
  place();
  if (parameter(node, "do_rotary", int64_t(0)) == 1)
    turn();
  groups.queries = writer.transpose(groups.queries, {0, 2, 1, 3});
  groups.keys = withPast(groups.keys, pastKey, 1);
  groups.values = withPast(groups.values, pastValue, 2);
  float scale = parameter(node, "scale", 0.0f);
  Value result = attend(writer, groups, scale == 0 ? std::nullopt : std::optional(scale), mask(), true);
  replaceOutput(node, 0, writer.reshape(writer.transpose(result, {0, 2, 1, 3}), {0, 0, -1}));
  return success();
}

LogicalResult halftone::importer::expandGroupedAttention(NodeOp node, Evaluator &) { return Expander(node).run(); }
