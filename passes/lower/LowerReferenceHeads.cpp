// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The oracle's loops over heads: rotary embeddings, cache appends and attention.
#include "passes/lower/LowerReferenceLoops.h"

#include <limits>

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

/// Runs `body` for each head of each token.
static void forEachHead(ScalarLoops &loops, Value tokens, int64_t heads, function_ref<void(Value, Value)> body) {
  loops.parallel(loops.multiply(tokens, loops.index(heads)),
                 [&](Value i) { body(loops.divide(i, loops.index(heads)), loops.remainder(i, loops.index(heads))); });
}

/// (x cos - y sin, y cos + x sin) for each pair; what follows the pairs passes unchanged.
void halftone::lowerReference(RopeOp rope, ScalarLoops &loops, BufferOf buffers) {
  Value tokens = loops.tokensOf(rope.getInput());
  const int64_t heads = rope.getHeads();
  const int64_t size = rope.getInput().getType().getDimSize(1) / heads;
  const int64_t positions = rope.getCos().getType().getShape()[0], pairs = rope.getCos().getType().getShape()[1];
  UnpackedWeight cosines(rope.getCos(), loops), sines(rope.getSin(), loops);
  Value input = buffers(rope.getInput()), out = buffers(rope.getResult());
  forEachHead(loops, tokens, heads, [&](Value token, Value head) {
    Value base = loops.multiply(head, loops.index(size));
    // Tokens that pad the last chunk may stand behind the table; nothing reads what becomes of them.
    Value position = loops.smaller(loops.add(rope.getPast(), token), loops.index(positions - 1));
    loops.each(loops.index(pairs), [&](Value pair) {
      Value low = loops.add(base, rope.getInterleaved() ? loops.multiply(pair, loops.index(2)) : pair);
      Value high = loops.add(low, loops.index(rope.getInterleaved() ? 1 : pairs));
      Value cos = cosines.element(position, pair), sin = sines.element(position, pair);
      Value x = loops.load(input, {token, low}), y = loops.load(input, {token, high});
      loops.store(loops.subtract(loops.multiply(x, cos), loops.multiply(y, sin)), out, {token, low});
      loops.store(loops.add(loops.multiply(y, cos), loops.multiply(x, sin)), out, {token, high});
    });
    loops.each(loops.index(size - 2 * pairs), [&](Value rest) {
      Value channel = loops.add(loops.add(base, loops.index(2 * pairs)), rest);
      loops.store(loops.load(input, {token, channel}), out, {token, channel});
    });
  });
}

namespace {

/// One element of a cache: the position's tile and its place there.
struct CachePlace {
  CachePlace(ScalarLoops &loops, Value position)
      : tile(loops.divide(position, loops.index(kernel::cachePositions))),
        within(loops.remainder(position, loops.index(kernel::cachePositions))) {}
  Value tile, within;
};

} // namespace

void halftone::lowerReference(AppendOp append, ScalarLoops &loops, BufferOf buffers) {
  CacheType cache = append.getCache().getType();
  Value tokens = loops.tokensOf(append.getKeys());
  const int64_t size = cache.getSize();
  Value keys = kernel::keysOf(append.getCache(), loops.builder, loops.loc);
  Value values = kernel::valuesOf(append.getCache(), loops.builder, loops.loc);
  forEachHead(loops, tokens, cache.getHeads(), [&](Value token, Value head) {
    CachePlace at(loops, loops.add(append.getPast(), token));
    loops.each(loops.index(size), [&](Value channel) {
      Value column = loops.add(loops.multiply(head, loops.index(size)), channel);
      loops.store(loops.load(buffers(append.getKeys()), {token, column}), keys, {at.tile, head, channel, at.within});
      loops.store(loops.load(buffers(append.getValues()), {token, column}), values,
                  {at.tile, head, at.within, channel});
    });
  });
}

/// softmax(scale * q . k) . v over the positions that the token sees.
void halftone::lowerReference(AttentionOp attention, ScalarLoops &loops, BufferOf buffers) {
  Value tokens = loops.tokensOf(attention.getQueries());
  const int64_t heads = attention.getHeads();
  const int64_t size = attention.getCache().getType().getSize();
  const int64_t share = heads / attention.getCache().getType().getHeads();
  Value keys = kernel::keysOf(attention.getCache(), loops.builder, loops.loc);
  Value values = kernel::valuesOf(attention.getCache(), loops.builder, loops.loc);
  Value queries = buffers(attention.getQueries()), out = buffers(attention.getResult());
  // Each thread's own scores, for the token that sees most.
  auto row = MemRefType::get({ShapedType::kDynamic}, loops.builder.getF32Type());
  Value scores =
      memref::AllocaOp::create(loops.builder, loops.loc, row, loops.add(attention.getPast(), tokens));
  auto exponential = [&](Value x) -> Value { return math::ExpOp::create(loops.builder, loops.loc, x); };

  forEachHead(loops, tokens, heads, [&](Value token, Value head) {
    Value cacheHead = loops.divide(head, loops.index(share)), base = loops.multiply(head, loops.index(size));
    Value count = loops.add(loops.add(attention.getPast(), token), loops.index(1));
    Value lowest = loops.number(-std::numeric_limits<float>::infinity());
    Value largest = loops.fold(count, lowest, [&](Value position, Value best) -> Value {
      CachePlace at(loops, position);
      Value product = loops.fold(loops.index(size), loops.number(0), [&](Value channel, Value sum) {
        Value query = loops.load(queries, {token, loops.add(base, channel)});
        return loops.add(sum, loops.multiply(query, loops.load(keys, {at.tile, cacheHead, channel, at.within})));
      });
      Value score = loops.multiply(product, loops.number(attention.getScale().convertToFloat()));
      loops.store(score, scores, position);
      return arith::MaximumFOp::create(loops.builder, loops.loc, best, score);
    });
    Value sum = loops.fold(count, loops.number(0), [&](Value position, Value total) {
      Value weight = exponential(loops.subtract(loops.load(scores, position), largest));
      loops.store(weight, scores, position);
      return loops.add(total, weight);
    });
    loops.each(loops.index(size), [&](Value channel) {
      Value mixed = loops.fold(count, loops.number(0), [&](Value position, Value total) {
        CachePlace at(loops, position);
        Value value = loops.load(values, {at.tile, cacheHead, at.within, channel});
        return loops.add(total, loops.multiply(loops.load(scores, position), value));
      });
      loops.store(loops.divide(mixed, sum), out, {token, loops.add(base, channel)});
    });
  });
}
