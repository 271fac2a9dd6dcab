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

/// A cache, element by element.
class ScalarCache {
public:
  ScalarCache(Value cache, ScalarLoops &loops)
      : type(cast<CacheType>(cache.getType())), loops(loops),
        keyMemory(kernel::keysOf(cache, loops.builder, loops.loc)),
        valueMemory(kernel::valuesOf(cache, loops.builder, loops.loc)) {
    if (type.getStored().isPlain())
      return;
    keyScales = kernel::keyScalesOf(cache, loops.builder, loops.loc);
    valueScales = kernel::valueScalesOf(cache, loops.builder, loops.loc);
  }

  /// What a key's or value's channel is, without its scale.
  Value key(Value position, Value head, Value channel) {
    const auto [tile, within] = placeOf(position);
    return decoded(loops.load(keyMemory, {tile, head, elementOf(channel), within}), channel);
  }
  Value value(Value position, Value head, Value channel) {
    const auto [tile, within] = placeOf(position);
    return decoded(loops.load(valueMemory, {tile, head, within, elementOf(channel)}), channel);
  }

  /// `number` times the scale of the position's key or value, where there are scales.
  Value timesKeyScale(Value number, Value position, Value head) { return scaled(number, keyScales, position, head); }
  Value timesValueScale(Value number, Value position, Value head) {
    return scaled(number, valueScales, position, head);
  }

  /// Stores the channels from `base` on of a token's key and value.
  void append(Value position, Value head, Value keys, Value values, Value token, Value base) {
    const auto [tile, within] = placeOf(position);
    Value column = within; // of keys
    write(keys, token, base, keyScales, {tile, head, loops.index(0), within},
          [&](Value element, Value stored) { loops.store(stored, keyMemory, {tile, head, element, column}); });
    write(values, token, base, valueScales, {tile, head, loops.index(0), within},
          [&](Value element, Value stored) { loops.store(stored, valueMemory, {tile, head, column, element}); });
  }

private:
  std::pair<Value, Value> placeOf(Value position) {
    Value positions = loops.index(kernel::cachePositions);
    return {loops.divide(position, positions), loops.remainder(position, positions)};
  }
  int64_t elements() const { return type.getSize() / kernel::channelsPerElement(type); }
  Value elementOf(Value channel) { return loops.remainder(channel, loops.index(elements())); }
  Value constant(int32_t value) { return loops.integer(value); }

  Value decoded(Value stored, Value channel) {
    OpBuilder &builder = loops.builder;
    if (type.getStored().isPlain())
      return stored.getType().isF32()
                 ? stored
                 : arith::ExtFOp::create(builder, loops.loc, builder.getF32Type(), stored).getResult();
    Value code = loops.signedByte(stored);
    if (kernel::channelsPerElement(type) == 2) {
      Value top = arith::ShLIOp::create(builder, loops.loc, code, constant(28));
      Value low = arith::ShRSIOp::create(builder, loops.loc, top, constant(28));
      Value high = arith::ShRSIOp::create(builder, loops.loc, code, constant(4));
      Value isLow =
          arith::CmpIOp::create(builder, loops.loc, arith::CmpIPredicate::ult, channel, loops.index(elements()));
      code = loops.select(isLow, low, high);
    }
    return loops.toFloat(code);
  }

  Value scaled(Value number, Value scales, Value position, Value head) {
    if (!scales)
      return number;
    const auto [tile, within] = placeOf(position);
    return loops.multiply(number, loops.load(scales, {tile, head, loops.index(0), within}));
  }

  void write(Value input, Value token, Value base, Value scales, ArrayRef<Value> scalePlace,
             function_ref<void(Value element, Value stored)> store) {
    OpBuilder &builder = loops.builder;
    const auto at = [&](Value channel) { return loops.load(input, {token, loops.add(base, channel)}); };
    const int bits = type.getStored().code.bits;
    const float limit = static_cast<float>((1 << (bits - 1)) - 1);
    Value scale;
    if (scales) {
      Value largest = loops.fold(loops.index(type.getSize()), loops.number(0), [&](Value channel, Value best) -> Value {
        return arith::MaximumFOp::create(builder, loops.loc, best,
                                         math::AbsFOp::create(builder, loops.loc, at(channel)));
      });
      scale = loops.divide(largest, loops.number(limit));
      loops.store(scale, scales, scalePlace);
    }
    Type stored = cast<MemRefType>(keyMemory.getType()).getElementType();
    loops.each(loops.index(elements()), [&](Value element) {
      if (!scales) {
        Value x = at(element);
        return store(element, stored.isF32() ? x : arith::TruncFOp::create(builder, loops.loc, stored, x).getResult());
      }
      Value codes = loops.balancedCode(at(element), scale, limit);
      if (bits == 4) {
        Value high = loops.balancedCode(at(loops.add(element, loops.index(elements()))), scale, limit);
        codes = arith::OrIOp::create(builder, loops.loc, arith::AndIOp::create(builder, loops.loc, codes, constant(15)),
                                     arith::ShLIOp::create(builder, loops.loc, high, constant(4)));
      }
      store(element, arith::TruncIOp::create(builder, loops.loc, stored, codes));
    });
  }

  CacheType type;
  ScalarLoops &loops;
  Value keyMemory, valueMemory, keyScales, valueScales;
};

} // namespace

void halftone::lowerReference(AppendOp append, ScalarLoops &loops, BufferOf buffers) {
  CacheType cache = append.getCache().getType();
  Value tokens = loops.tokensOf(append.getKeys());
  const int64_t size = cache.getSize();
  ScalarCache stored(append.getCache(), loops);
  Value keys = buffers(append.getKeys()), values = buffers(append.getValues());
  forEachHead(loops, tokens, cache.getHeads(), [&](Value token, Value head) {
    stored.append(loops.add(append.getPast(), token), head, keys, values, token,
                  loops.multiply(head, loops.index(size)));
  });
}

/// softmax(scale * q . k) . v over the positions that the token sees.
void halftone::lowerReference(AttentionOp attention, ScalarLoops &loops, BufferOf buffers) {
  Value tokens = loops.tokensOf(attention.getQueries());
  const int64_t heads = attention.getHeads();
  const int64_t size = attention.getCache().getType().getSize();
  const int64_t share = heads / attention.getCache().getType().getHeads();
  ScalarCache cache(attention.getCache(), loops);
  Value queries = buffers(attention.getQueries()), out = buffers(attention.getResult());
  // Each thread's own scores, for the token that sees most.
  auto row = MemRefType::get({ShapedType::kDynamic}, loops.builder.getF32Type());
  Value scores = memref::AllocaOp::create(loops.builder, loops.loc, row, loops.add(attention.getPast(), tokens));
  auto exponential = [&](Value x) -> Value { return math::ExpOp::create(loops.builder, loops.loc, x); };

  forEachHead(loops, tokens, heads, [&](Value token, Value head) {
    Value cacheHead = loops.divide(head, loops.index(share)), base = loops.multiply(head, loops.index(size));
    Value count = loops.add(loops.add(attention.getPast(), token), loops.index(1));
    Value lowest = loops.number(-std::numeric_limits<float>::infinity());
    Value largest = loops.fold(count, lowest, [&](Value position, Value best) -> Value {
      Value product = loops.fold(loops.index(size), loops.number(0), [&](Value channel, Value sum) {
        Value query = loops.load(queries, {token, loops.add(base, channel)});
        return loops.add(sum, loops.multiply(query, cache.key(position, cacheHead, channel)));
      });
      product = cache.timesKeyScale(product, position, cacheHead);
      Value score = loops.multiply(product, loops.number(attention.getScale().convertToFloat()));
      loops.store(score, scores, position);
      return arith::MaximumFOp::create(loops.builder, loops.loc, best, score);
    });
    Value sum = loops.fold(count, loops.number(0), [&](Value position, Value total) {
      Value weight = exponential(loops.subtract(loops.load(scores, position), largest));
      loops.store(cache.timesValueScale(weight, position, cacheHead), scores, position);
      return loops.add(total, weight);
    });
    loops.each(loops.index(size), [&](Value channel) {
      Value mixed = loops.fold(count, loops.number(0), [&](Value position, Value total) {
        Value value = cache.value(position, cacheHead, channel);
        return loops.add(total, loops.multiply(loops.load(scores, position), value));
      });
      loops.store(loops.divide(mixed, sum), out, {token, loops.add(base, channel)});
    });
  });
}
