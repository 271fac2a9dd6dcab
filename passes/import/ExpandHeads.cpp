// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rotation and attention of heads in simple nodes, for all operators that have them inside.
#include "passes/import/Expansions.h"

using namespace mlir;
using namespace halftone::importer;

Value halftone::importer::rotate(NodeWriter &writer, Value heads, Value cos, Value sin, bool interleaved) {
  Value start = writer.integers(0), end = writer.integers(everything);
  Value pairs = writer.sizeOf(cos, -1), rotated = writer.make("Add", {pairs, pairs});
  Value first = interleaved ? writer.slice(heads, start, rotated, -1, 2) : writer.slice(heads, start, pairs, -1);
  Value second =
      interleaved ? writer.slice(heads, writer.integers(1), rotated, -1, 2) : writer.slice(heads, pairs, rotated, -1);
  auto times = [&](Value a, Value b) { return writer.make("Mul", {a, b}); };
  Value turnedFirst = writer.make("Sub", {times(first, cos), times(second, sin)});
  Value turnedSecond = writer.make("Add", {times(second, cos), times(first, sin)});
  Value rest = writer.slice(heads, rotated, end, -1);
  if (!interleaved)
    return writer.concat({turnedFirst, turnedSecond, rest}, -1);
  Value neighbours = writer.concat({writer.unsqueeze(turnedFirst, {-1}), writer.unsqueeze(turnedSecond, {-1})}, -1);
  return writer.concat({writer.reshape(neighbours, {0, 0, 0, -1}), rest}, -1);
}

/// Each head of keys or values as often as query heads share it.
static Value repeated(NodeWriter &writer, Value heads, const HeadGroups &groups) {
  if (groups.heads == groups.keyHeads)
    return heads;
  SmallVector<int64_t> sources;
  for (int64_t head = 0; head < groups.heads; ++head)
    sources.push_back(head / (groups.heads / groups.keyHeads));
  return writer.make("Gather", {heads, writer.integers(sources)}, writer.parameter("axis", int64_t(1)));
}

Value halftone::importer::attend(NodeWriter &writer, const HeadGroups &groups, std::optional<float> scale, Value mask,
                                 bool isCondition) {
  Value keys = writer.transpose(repeated(writer, groups.keys, groups), {0, 1, 3, 2});
  Value scores = writer.make("MatMul", {groups.queries, keys});
  if (scale) {
    scores = writer.make("Mul", {scores, writer.number(*scale)});
  } else {
    Value size = writer.make("Cast", writer.sizeOf(groups.queries, 3), writer.parameter("to", int64_t(1)));
    scores = writer.make("Div", {scores, writer.make("Sqrt", size)});
  }
  if (mask && isCondition)
    scores = writer.make("Where", {mask, scores, writer.number(-std::numeric_limits<float>::infinity())});
  else if (mask)
    scores = writer.make("Add", {scores, mask});
  Value probabilities = writer.make("Softmax", scores, writer.parameter("axis", int64_t(-1)));
  return writer.make("MatMul", {probabilities, repeated(writer, groups.values, groups)});
}
