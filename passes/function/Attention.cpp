// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attention and rotary embedding as one node: scores, mask, softmax, sum, spelled out.
#include "passes/function/Conversion.h"

#include "passes/import/Tensor.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace halftone;
using namespace halftone::function;

//===-- Heads -----------------------------------------------------------------------------------------------------===//

/// [batch, tokens, heads * size] to [batch, heads, tokens, size].
static Value splitHeads(TensorBuilder &b, Value x, int64_t heads) {
  ArrayRef<int64_t> shape = shapeOf(x);
  return b.transpose(b.reshape(x, {shape[0], shape[1], heads, shape[2] / heads}), {0, 2, 1, 3});
}

/// The way back.
static Value joinHeads(TensorBuilder &b, Value x) {
  SmallVector<int64_t> shape(shapeOf(x));
  return b.reshape(b.transpose(x, {0, 2, 1, 3}), {shape[0], shape[2], shape[1] * shape[3]});
}

//===-- Rotary embedding ------------------------------------------------------------------------------------------===//

/// Rotates the first channels of x [batch, heads, tokens, size] by cos and sin [batch or 1, 1, tokens, pairs]. Pairs
/// are neighbours, or half of the rotated channels apart.
static Value rotate(TensorBuilder &b, Value x, Value cos, Value sin, bool interleaved) {
  const int64_t pairs = shapeOf(cos).back(), size = shapeOf(x).back();
  Value turned = b.part(x, 3, 0, 2 * pairs), first, second;
  SmallVector<int64_t> shape(shapeOf(turned)), halved(shape), paired(shape);
  halved[3] = paired[3] = pairs;
  paired.push_back(2);
  if (interleaved) {
    Value split = b.reshape(turned, paired);
    first = b.reshape(b.part(split, 4, 0, 1), halved);
    second = b.reshape(b.part(split, 4, 1, 1), halved);
  } else {
    first = b.part(turned, 3, 0, pairs);
    second = b.part(turned, 3, pairs, pairs);
  }
  Value left = b.subtract(b.multiply(first, cos), b.multiply(second, sin));
  Value right = b.add(b.multiply(second, cos), b.multiply(first, sin));
  if (interleaved) {
    SmallVector<int64_t> single(halved);
    single.push_back(1);
    turned = b.reshape(b.concat({b.reshape(left, single), b.reshape(right, single)}, 4), shape);
  } else {
    turned = b.concat({left, right}, 3);
  }
  return b.concat({turned, b.part(x, 3, 2 * pairs, size - 2 * pairs)}, 3);
}

/// The rows of a table [positions, pairs] as [batch, 1, tokens, pairs]; `position` says which row a token wants.
static Value rowsAt(TensorBuilder &b, Value table, int64_t batch, int64_t tokens, TensorBuilder::Body position) {
  const int64_t rows = shapeOf(table)[0];
  return b.generate(elementOf(table), {batch, 1, tokens, shapeOf(table)[1]}, [&](TensorBuilder &s, ValueRange at) {
    Value row = s.convert(position(s, ValueRange{at[0], at[2]}), s.builder.getIndexType());
    row = s.make<arith::MaxSIOp>(s.index(0), s.make<arith::MinSIOp>(row, s.index(rows - 1)));
    return s.read(table, {row, at[3]});
  });
}

/// x, cos, sin and positions stand in another order in the two domains. Positions are one number per token, or the
/// first one's; without them the tables have a row per token already.
template <size_t cosAt, size_t positionsAt> static Results rotaryEmbedding(Conversion &c) {
  Value x = c.input(0), cos = c.input(cosAt), sin = c.input(cosAt + 1), positions = c.input(positionsAt);
  if (failed(c.expectRank(0, {3, 4})) || failed(c.expectRank(cosAt, positions ? 2 : 3)) ||
      failed(c.expectRank(positionsAt, {0, 1, 2})) || failed(c.expectShape(cosAt + 1, shapeOf(cos))))
    return failure();
  if (shapeOf(cos).back() == 0)
    return c.fail("a table of no pairs");
  const int64_t rotated = c.parameter("rotary_embedding_dim", int64_t(0));
  const bool isFlat = rankOf(x) == 3;
  if (isFlat) {
    int64_t heads = c.parameter("num_heads", int64_t(0));
    if (heads <= 0 && rotated == 0) // then the table says how large a head is
      heads = shapeOf(x)[2] / (2 * shapeOf(cos).back());
    if (heads <= 0)
      return c.fail("the number of heads is missing");
    x = splitHeads(c.b, x, heads);
  }
  const int64_t batch = shapeOf(x)[0], tokens = shapeOf(x)[2];
  if (positions && rankOf(positions) == 2 && failed(c.expectShape(positionsAt, {batch, tokens})))
    return failure();
  if (2 * shapeOf(cos).back() > shapeOf(x)[3] || (rotated != 0 && rotated != 2 * shapeOf(cos).back()))
    return c.fail("a table of " + Twine(shapeOf(cos).back()) + " pairs for heads of " + Twine(shapeOf(x)[3]));
  auto rows = [&](Value table) {
    if (!positions)
      return c.b.reshape(table, {shapeOf(table)[0], 1, shapeOf(table)[1], shapeOf(table)[2]});
    return rowsAt(c.b, table, batch, tokens, [&](TensorBuilder &s, ValueRange at) -> Value {
      if (rankOf(positions) == 2)
        return s.read(positions, at);
      Value first = s.convert(s.read(positions, rankOf(positions) == 0 ? ValueRange() : ValueRange(s.index(0))),
                              s.builder.getIndexType());
      return s.make<arith::AddIOp>(first, at[1]);
    });
  };
  Value result = rotate(c.b, x, rows(cos), rows(sin), c.parameter("interleaved", int64_t(0)));
  return SmallVector<Value, 2>{isFlat ? joinHeads(c.b, result) : result};
}

//===-- Attention -------------------------------------------------------------------------------------------------===//

namespace {

/// softmax(mask(cap(scale * Q K^T + bias))) V.
struct Attention {
  Value queries, keys, values; ///< [batch, heads, tokens, size], [batch, groups, positions, size], the same
  double scale, cap = 0;       ///< no cap: 0
  Value bias = {};             ///< broadcasts to [batch, heads, tokens, positions]
  double hidden = -std::numeric_limits<double>::infinity(); ///< added to scores that are not seen ...
  /// ... as this says of (batch, token, position), all indices; null: all are seen.
  std::function<Value(TensorBuilder &, ValueRange)> sees = nullptr;

  Value build(TensorBuilder &b) const;
};

} // namespace

/// Softmax over positions, where a row that sees nothing weighs nothing.
static Value weightsOf(TensorBuilder &b, Value scores) {
  const Type type = elementOf(scores);
  const auto least = static_cast<double>(std::numeric_limits<float>::lowest());
  Value largest =
      b.reduce(scores, 3, least, [](TensorBuilder &s, ValueRange v) { return s.make<arith::MaximumFOp>(v[0], v[1]); });
  Value powers = b.map({scores, largest}, type, [](TensorBuilder &s, ValueRange v) {
    return s.make<math::ExpOp>(s.make<arith::SubFOp>(v[0], v[1]));
  });
  return b.map({powers, b.sum(powers, 3)}, type, [](TensorBuilder &s, ValueRange v) -> Value {
    Value isNothing = s.make<arith::CmpFOp>(arith::CmpFPredicate::OEQ, v[1], s.number(v[1].getType(), 0));
    return s.make<arith::SelectOp>(isNothing, v[1], s.make<arith::DivFOp>(v[0], v[1]));
  });
}

Value Attention::build(TensorBuilder &b) const {
  ArrayRef<int64_t> q = shapeOf(queries), k = shapeOf(keys), v = shapeOf(values);
  const int64_t batch = q[0], groups = k[1], share = groups == 0 ? 0 : q[1] / groups;
  const Type wide = widened(elementOf(queries));
  Value split = b.reshape(b.cast(queries, wide), {batch, groups, share, q[2], q[3]});
  Value scores = b.scale(b.product(split, b.reshape(b.cast(keys, wide), {batch, groups, 1, k[2], k[3]}), true), scale);
  scores = b.reshape(scores, {batch, q[1], q[2], k[2]});
  if (cap != 0)
    scores = b.map(scores, wide, [&](TensorBuilder &s, ValueRange x) {
      Value limit = s.number(wide, cap);
      return s.make<arith::MulFOp>(s.make<math::TanhOp>(s.make<arith::DivFOp>(x[0], limit)), limit);
    });
  if (bias)
    scores = b.add(scores, b.cast(bias, wide));
  if (sees)
    scores = b.generate(wide, shapeOf(scores), [&](TensorBuilder &s, ValueRange at) {
      Value score = s.read(scores, at), added = s.make<arith::AddFOp>(score, s.number(wide, hidden));
      return s.make<arith::SelectOp>(sees(s, ValueRange{at[0], at[2], at[3]}), score, added);
    });
  Value weights = b.reshape(weightsOf(b, scores), {batch, groups, share, q[2], k[2]});
  Value sum = b.product(weights, b.reshape(b.cast(values, wide), {batch, groups, 1, v[2], v[3]}));
  return b.cast(b.reshape(sum, {batch, q[1], q[2], v[3]}), elementOf(queries));
}

/// position <= token + past, and within the window before it where there is one.
static Value isBefore(TensorBuilder &s, Value token, Value position, Value past, int64_t window) {
  Value own = s.make<arith::AddIOp>(token, past);
  Value seen = s.make<arith::CmpIOp>(arith::CmpIPredicate::sle, position, own);
  if (window < 0)
    return seen;
  Value nearest = s.make<arith::SubIOp>(own, s.index(window));
  return s.make<arith::AndIOp>(seen, s.make<arith::CmpIOp>(arith::CmpIPredicate::sgt, position, nearest));
}

/// Inputs: queries, keys, values (or all three packed in the first), past keys and values, each sequence's length less
/// one, the longest length, tables of angles, then positions and a bias.
static Results groupQueryAttention(Conversion &c) {
  const int64_t heads = c.parameter("num_heads", int64_t(0)), groups = c.parameter("kv_num_heads", int64_t(0));
  Value q = c.input(0), k = c.input(1), v = c.input(2);
  for (size_t i : {0, 1, 2})
    if (failed(c.expectRank(i, 3)))
      return failure();
  if (heads < 1 || groups < 1 || heads % groups != 0 || c.has(1) != c.has(2) || c.has(3) != c.has(4))
    return c.fail(Twine(heads) + " heads in " + Twine(groups) + " groups, or keys without values");
  if (c.has(11) || c.parameter("smooth_softmax", int64_t(0)) || !c.has(5))
    return c.fail("a sink, a smooth softmax, or no lengths are not supported");
  const bool isRotated = c.parameter("do_rotary", int64_t(0));
  if (isRotated && (!c.has(7) || !c.has(8) || failed(c.expectRank(7, 2)) || failed(c.expectRank(8, 2))))
    return c.fail("rotary embedding needs two tables");
  if (!k) {
    const int64_t size = shapeOf(q)[2] / (heads + 2 * groups);
    Value packed = q;
    q = c.b.part(packed, 2, 0, heads * size);
    k = c.b.part(packed, 2, heads * size, groups * size);
    v = c.b.part(packed, 2, (heads + groups) * size, groups * size);
  }
  const int64_t batch = shapeOf(q)[0], tokens = shapeOf(q)[1];
  q = splitHeads(c.b, q, heads);
  k = splitHeads(c.b, k, groups);
  v = splitHeads(c.b, v, groups);
  if (failed(c.expectRank(3, 4)))
    return failure();
  const int64_t most = c.has(3) ? shapeOf(c.input(3))[2] : 0;
  const int64_t kept[] = {batch, groups, most, shapeOf(k)[3]}, keptValues[] = {batch, groups, most, shapeOf(v)[3]};
  if (failed(c.expectShape(3, kept)) || failed(c.expectShape(4, keptValues)) ||
      failed(c.expectShape(9, {batch, tokens})))
    return failure();
  Value lengths = c.b.reshape(c.input(5), {batch});
  // How many positions of the past a sequence has: its length less the new tokens.
  auto past = [&](TensorBuilder &s, Value sequence) -> Value {
    if (most == 0)
      return s.index(0);
    Value last = s.convert(s.read(lengths, sequence), s.builder.getIndexType());
    Value count = s.make<arith::SubIOp>(last, s.index(tokens - 1));
    return s.make<arith::MaxSIOp>(s.index(0), s.make<arith::MinSIOp>(count, s.index(most)));
  };
  if (isRotated) {
    auto position = [&](TensorBuilder &s, ValueRange at) -> Value {
      return c.has(9) ? s.read(c.input(9), at) : s.make<arith::AddIOp>(past(s, at[0]), at[1]);
    };
    Value cos = rowsAt(c.b, c.input(7), batch, tokens, position),
          sin = rowsAt(c.b, c.input(8), batch, tokens, position);
    const bool interleaved = c.parameter("rotary_interleaved", int64_t(0));
    q = rotate(c.b, q, cos, sin, interleaved);
    k = rotate(c.b, k, cos, sin, interleaved);
  }
  // The past, then the new tokens, with nothing between them.
  auto present = [&](size_t pastInput, Value fresh) -> Value {
    if (most == 0)
      return fresh;
    SmallVector<int64_t> shape(shapeOf(fresh));
    shape[2] += most;
    return c.b.generate(elementOf(fresh), shape, [&](TensorBuilder &s, ValueRange at) {
      Value start = past(s, at[0]), isPast = s.make<arith::CmpIOp>(arith::CmpIPredicate::slt, at[2], start);
      Value own = s.make<arith::MaxSIOp>(s.index(0), s.make<arith::SubIOp>(at[2], start));
      Value old = s.make<arith::MinSIOp>(at[2], s.index(most - 1));
      own = s.make<arith::MinSIOp>(own, s.index(tokens - 1));
      return s.make<arith::SelectOp>(isPast, s.read(c.input(pastInput), {at[0], at[1], old, at[3]}),
                                     s.read(fresh, {at[0], at[1], own, at[3]}));
    });
  };
  k = present(3, k);
  v = present(4, v);
  const int64_t window = c.parameter("local_window_size", int64_t(-1));
  Attention attention{q, k, v, c.parameter("scale", 0.0f), c.parameter("softcap", 0.0f), c.input(10)};
  if (attention.scale == 0)
    attention.scale = 1 / std::sqrt(static_cast<double>(shapeOf(q)[3]));
  attention.sees = [&](TensorBuilder &s, ValueRange at) { return isBefore(s, at[1], at[2], past(s, at[0]), window); };
  return SmallVector<Value, 2>{joinHeads(c.b, attention.build(c.b)), k, v};
}

/// Inputs: x, the weight and bias of queries, keys and values together, a mask: how many positions are shown, [batch],
/// or 0 for hidden positions, [batch, positions] or [batch, tokens, positions].
static Results attentionOfOne(Conversion &c) {
  const int64_t heads = c.parameter("num_heads", int64_t(0));
  Value x = c.input(0), mask = c.input(3);
  if (failed(c.expectRank(0, 3)) || failed(c.expectRank(1, 2)) || failed(c.expectRank(3, {1, 2, 3})))
    return failure();
  if (c.has(4) || c.wants(1) || c.parameter("do_rotary", int64_t(0)))
    return c.fail("a past or rotary embedding are not supported");
  const int64_t masked[] = {shapeOf(x)[0], shapeOf(x)[1], shapeOf(x)[1]};
  if (mask && failed(c.expectShape(3, ArrayRef(masked).take_front(rankOf(mask)))))
    return failure();
  auto sizes = importer::listParameter(c.node, "qkv_hidden_sizes");
  const int64_t columns = shapeOf(c.input(1))[1];
  if (!sizes)
    sizes = SmallVector<int64_t>(3, columns / 3);
  if (heads < 1 || sizes->size() != 3 || (*sizes)[0] + (*sizes)[1] + (*sizes)[2] != columns || rankOf(x) != 3 ||
      shapeOf(x)[2] != shapeOf(c.input(1))[0])
    return c.fail("a weight of " + Twine(columns) + " columns for " + Twine(heads) + " heads");
  Value all = c.b.product(x, c.input(1)), parts[3];
  if (c.has(2))
    all = c.b.add(all, c.input(2));
  int64_t start = 0;
  for (size_t i = 0; i < 3; ++i) {
    parts[i] = splitHeads(c.b, c.b.part(all, 2, start, (*sizes)[i]), heads);
    start += (*sizes)[i];
  }
  Attention attention{parts[0], parts[1], parts[2], c.parameter("scale", 0.0f)};
  if (attention.scale == 0)
    attention.scale = 1 / std::sqrt(static_cast<double>(shapeOf(parts[0])[3]));
  attention.bias = c.input(5);
  attention.hidden = c.parameter("mask_filter_value", -10000.0f);
  const bool causal = c.parameter("unidirectional", int64_t(0));
  if (mask || causal)
    attention.sees = [&](TensorBuilder &s, ValueRange at) {
      Value seen = causal ? isBefore(s, at[1], at[2], s.index(0), -1) : Value();
      if (!mask)
        return seen;
      Value shown;
      if (rankOf(mask) == 1)
        shown = s.make<arith::CmpIOp>(arith::CmpIPredicate::slt, at[2],
                                      s.convert(s.read(mask, at[0]), s.builder.getIndexType()));
      else
        shown = s.convert(rankOf(mask) == 2 ? s.read(mask, {at[0], at[2]}) : s.read(mask, at), s.builder.getI1Type());
      return seen ? s.make<arith::AndIOp>(seen, shown) : shown;
    };
  return SmallVector<Value, 2>{joinHeads(c.b, attention.build(c.b))};
}

/// [ONNX, "Attention"]: queries, keys, values, a mask, past keys and values.
static Results standardAttention(Conversion &c) {
  Value q = c.input(0), k = c.input(1), v = c.input(2), mask = c.input(3);
  if (failed(c.expectRank(0, {3, 4})) || failed(c.expectRank(1, rankOf(q))) || failed(c.expectRank(2, rankOf(q))) ||
      failed(c.expectRank(4, 4)) || failed(c.expectRank(5, 4)))
    return failure();
  const bool isFlat = rankOf(q) == 3;
  const int64_t heads = c.parameter("q_num_heads", int64_t(0)), groups = c.parameter("kv_num_heads", int64_t(0));
  if (c.wants(3) || c.has(6) || (isFlat && (heads < 1 || groups < 1)))
    return c.fail("scores as a result, padded lengths, or an unknown number of heads are not supported");
  if (isFlat) {
    q = splitHeads(c.b, q, heads);
    k = splitHeads(c.b, k, groups);
    v = splitHeads(c.b, v, groups);
  }
  const int64_t past = c.has(4) ? shapeOf(c.input(4))[2] : 0;
  if (c.has(4))
    k = c.b.concat({c.input(4), k}, 2);
  if (c.has(5))
    v = c.b.concat({c.input(5), v}, 2);
  if (shapeOf(k)[1] == 0 || shapeOf(q)[1] % shapeOf(k)[1] != 0)
    return c.fail(Twine(shapeOf(q)[1]) + " heads in " + Twine(shapeOf(k)[1]) + " groups");
  Attention attention{q, k, v, c.parameter("scale", 0.0f), c.parameter("softcap", 0.0f)};
  if (attention.scale == 0)
    attention.scale = 1 / std::sqrt(static_cast<double>(shapeOf(q)[3]));
  if (mask && elementOf(mask).isInteger(1))
    mask = c.b.map(mask, widened(elementOf(q)), [&](TensorBuilder &s, ValueRange shown) {
      const Type type = widened(elementOf(q));
      return s.make<arith::SelectOp>(shown[0], s.number(type, 0), s.number(type, attention.hidden));
    });
  attention.bias = mask;
  if (c.parameter("is_causal", int64_t(0)))
    attention.sees = [&](TensorBuilder &s, ValueRange at) { return isBefore(s, at[1], at[2], s.index(past), -1); };
  Value result = attention.build(c.b);
  return SmallVector<Value, 2>{isFlat ? joinHeads(c.b, result) : result, k, v, Value()};
}

ArrayRef<Operator> halftone::function::attentionOperators() {
  static constexpr Operator table[] = {
      {"", "Attention", 23, 3, standardAttention},
      {"", "RotaryEmbedding", 23, 3, rotaryEmbedding<1, 3>},
      {"com.microsoft", "Attention", 1, 2, attentionOfOne},
      {"com.microsoft", "GroupQueryAttention", 1, 1, groupQueryAttention},
      {"com.microsoft", "RotaryEmbedding", 1, 4, rotaryEmbedding<2, 1>},
  };
  return table;
}
