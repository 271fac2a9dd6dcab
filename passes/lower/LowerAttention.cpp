// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Causal attention of some tokens and one head at a time over the cache.
#include "passes/lower/CacheRows.h"
#include "passes/lower/Passes.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_LOWERATTENTION
#include "passes/lower/Passes.h.inc"
} // namespace halftone

namespace {

/// Tokens whose scores with the same positions are computed at once, and vectors of positions then; a lone token takes
/// more positions, because a sum waits for the one before it.
constexpr int64_t tokensAtOnce = 4, vectorsForSeveral = 2, vectorsForOne = 4;
/// Sums of values that are in registers at once.
constexpr int64_t sumsAtOnce = 16;

class AttentionLowering {
public:
  AttentionLowering(KernelOp kernel, OpBuilder &builder)
      : op(cast<AttentionOp>(coreOf(kernel))), out(kernel.getOuts().front()), builder(builder), loc(op.getLoc()),
        lanes(scheduleOf(kernel).getLanes()), rows(builder, loc, lanes),
        cache(op.getCache(), builder, loc, rows, lanes) {}

  void run() {
    const int64_t tokens = cast<ShapedType>(op.getType()).getDimSize(0), left = tokens % tokensAtOnce;
    queries = bufferOf(op.getQueries());
    setGroup(std::min(tokens, tokensAtOnce));
    // Scores of the longest past of this call: each thread has its own, on its stack.
    Value longest =
        times(arith::CeilDivUIOp::create(builder, loc, steps(add(op.getPast(), index(tokens))), index(tilesAtOnce)),
              tilesAtOnce * kernel::cachePositions);
    scores =
        memref::AllocaOp::create(builder, loc, MemRefType::get({group, ShapedType::kDynamic}, builder.getF32Type()),
                                 longest, builder.getI64IntegerAttr(64));
    Value all = getValueOrCreateConstantIndexOp(builder, loc, tokensOfCall(builder, loc, tokens));
    lowerGroups(0, builder.createOrFold<arith::DivUIOp>(loc, all, index(group)));
    if (tokens > group && left != 0) {
      setGroup(left);
      lowerGroups(tokens - left, index(1));
    }
  }

private:
  int64_t size() { return op.getCache().getType().getSize(); }

  void setGroup(int64_t tokens) {
    group = tokens;
    tilesAtOnce =
        std::max<int64_t>((tokens > 1 ? vectorsForSeveral : vectorsForOne) * lanes / kernel::cachePositions, 1);
  }

  /// `groups` groups of tokens from `first` on, one head at a time.
  void lowerGroups(int64_t first, Value groups) {
    const int64_t heads = op.getHeads(), share = heads / op.getCache().getType().getHeads();
    // Consecutive iterations are those of one head: later tokens see more, so each thread gets both kinds.
    parallelLoop(builder, loc, times(groups, heads), [&](Value i) {
      Value head = arith::DivUIOp::create(builder, loc, i, groups);
      token = add(times(arith::RemUIOp::create(builder, loc, i, groups), group), index(first));
      cacheHead = arith::DivUIOp::create(builder, loc, head, index(share));
      base = times(head, size());
      count = add(add(op.getPast(), token), index(group));
      SmallVector<Value> largest = computeScores(), sums = exponentiate(largest);
      sumValues(sums);
    });
  }

  /// scores[t][p] = scale * q[t] . k[p], minus infinity for positions that token t does not see. Gives the largest.
  SmallVector<Value> computeScores() {
    constexpr float never = -std::numeric_limits<float>::infinity();
    Value scale = rows.splat(op.getScale().convertToFloat());
    const SmallVector<Value> none(group, rows.splat(never));
    return reduced(vector::CombiningKind::MAXIMUMF, forEachStep(none, [&](Value firstTile, ValueRange best) {
                     SmallVector<Value> result(best);
                     const SmallVector<Value> products = dotWithKeys(firstTile);
                     for (int64_t v = 0; v < vectorsAtOnce(); ++v) {
                       Value position = add(times(firstTile, kernel::cachePositions), index(v * lanes));
                       for (int64_t t = 0; t < group; ++t) {
                         Value scaled = arith::MulFOp::create(builder, loc, products[v * group + t], scale);
                         Value score =
                             arith::SelectOp::create(builder, loc, seenBy(t, position), scaled, rows.splat(never));
                         rows.store(score, scores, {index(t), position}, {});
                         result[t] = arith::MaximumFOp::create(builder, loc, result[t], score);
                       }
                     }
                     return result;
                   }));
  }

  /// The lanes from `position` on that token t of the group sees.
  Value seenBy(int64_t t, Value position) {
    auto integer = [&](Value value) {
      return builder.createOrFold<arith::IndexCastOp>(loc, builder.getI64Type(), value);
    };
    Value seen = add(add(op.getPast(), token), index(t + 1));
    Value left = arith::SubIOp::create(builder, loc, integer(seen), integer(position));
    Value zero = arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(0));
    Value some = arith::MaxSIOp::create(builder, loc, left, zero);
    return vector::CreateMaskOp::create(
        builder, loc, rows.vectorOf(builder.getI1Type()),
        arith::IndexCastOp::create(builder, loc, builder.getIndexType(), some).getResult());
  }

  /// The queries' products with the positions of a step, by vector of positions, then by token: sums over the elements
  /// of a head, in order.
  SmallVector<Value> dotWithKeys(Value firstTile) {
    constexpr int64_t unroll = 8;
    const int64_t perTile = kernel::cachePositions / lanes;
    SmallVector<Value> tiles; // the last step may reach behind the last tile
    Value last = arith::SubIOp::create(builder, loc, steps(count), index(1));
    for (int64_t i = 0; i < tilesAtOnce; ++i)
      tiles.push_back(arith::MinUIOp::create(builder, loc, add(firstTile, index(i)), last));
    auto placeOf = [&](int64_t v) { return CachePlace{tiles[v / perTile], cacheHead, index(v % perTile * lanes)}; };
    auto element = [&](Value e, SmallVector<Value> sums) {
      SmallVector<Value> spread; // by channel of the element, then by token
      for (int64_t i = 0; i < cache.channelsPerElement(); ++i)
        for (int64_t t = 0; t < group; ++t)
          spread.push_back(rows.splat(
              memref::LoadOp::create(builder, loc, queries, ValueRange{add(token, index(t)), channelOf(e, i)})
                  .getResult()));
      for (int64_t v = 0; v < vectorsAtOnce(); ++v)
        for (auto [i, key] : llvm::enumerate(cache.keys(placeOf(v), e)))
          for (int64_t t = 0; t < group; ++t)
            sums[v * group + t] = rows.multiplyAdd(key, spread[i * group + t], sums[v * group + t]);
      return sums;
    };
    const int64_t whole = cache.elements() / unroll * unroll;
    SmallVector<Value> sums(group * vectorsAtOnce(), rows.splat(0.0f));
    auto loop = scf::ForOp::create(builder, loc, index(0), index(whole), index(unroll), sums);
    {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(loop.getBody());
      sums.assign(loop.getRegionIterArgs().begin(), loop.getRegionIterArgs().end());
      for (int64_t i = 0; i < unroll; ++i)
        sums = element(add(loop.getInductionVar(), index(i)), sums);
      scf::YieldOp::create(builder, loc, sums);
    }
    sums.assign(loop.getResults().begin(), loop.getResults().end());
    for (int64_t e = whole; e < cache.elements(); ++e)
      sums = element(index(e), sums);
    for (int64_t v = 0; cache.hasScales() && v < vectorsAtOnce(); ++v) {
      Value scale = cache.keyScales(placeOf(v));
      for (int64_t t = 0; t < group; ++t)
        sums[v * group + t] = arith::MulFOp::create(builder, loc, sums[v * group + t], scale);
    }
    return sums;
  }

  /// Channel number `i` of an element of the cache, among those of all heads.
  Value channelOf(Value element, int64_t i) { return add(base, add(element, index(i * cache.elements()))); }

  /// scores[t][p] = exp(scores[t][p] - largest[t]), times what a code of value p is worth. Gives the sums of the
  /// powers.
  SmallVector<Value> exponentiate(ArrayRef<Value> largest) {
    const auto shifts = llvm::map_to_vector(largest, [&](Value scalar) { return rows.splat(scalar); });
    const SmallVector<Value> none(group, rows.splat(0.0f));
    return reduced(vector::CombiningKind::ADD, forEachStep(none, [&](Value firstTile, ValueRange before) {
                     SmallVector<Value> sums(before);
                     for (int64_t v = 0; v < vectorsAtOnce(); ++v) {
                       Value position = add(times(firstTile, kernel::cachePositions), index(v * lanes));
                       Value worth = cache.hasScales() ? cache.valueScales(placeOf(position)) : Value();
                       for (int64_t t = 0; t < group; ++t) {
                         Value score = rows.load(scores, {index(t), position}, {});
                         Value power =
                             math::ExpOp::create(builder, loc, arith::SubFOp::create(builder, loc, score, shifts[t]));
                         Value weight = worth ? arith::MulFOp::create(builder, loc, power, worth).getResult() : power;
                         rows.store(weight, scores, {index(t), position}, {});
                         sums[t] = arith::AddFOp::create(builder, loc, sums[t], power);
                       }
                     }
                     return sums;
                   }));
  }

  /// Where `lanes` positions from `position` on stand; behind the last tile they are those of the last.
  CachePlace placeOf(Value position) {
    Value last = arith::SubIOp::create(builder, loc, steps(count), index(1));
    Value tile = arith::DivUIOp::create(builder, loc, position, index(kernel::cachePositions));
    return {arith::MinUIOp::create(builder, loc, tile, last), cacheHead,
            arith::RemUIOp::create(builder, loc, position, index(kernel::cachePositions))};
  }

  /// out[t] = sum over positions of scores[t][p] * v[p] / sums[t], position by position.
  void sumValues(ArrayRef<Value> sums) {
    const auto divisors = llvm::map_to_vector(sums, [&](Value sum) { return rows.splat(sum); });
    const int64_t channels = cache.channelsPerElement(), all = formats::divideUp(cache.elements(), lanes);
    const int64_t atOnce = std::max<int64_t>(sumsAtOnce / (group * channels), 1);
    for (int64_t first = 0; first < all; first += atOnce) {
      const int64_t vectors = std::min(atOnce, all - first);
      const SmallVector<Value> totals = totalsOfValues(first, vectors);
      for (int64_t v = 0; v < vectors; ++v)
        for (int64_t i = 0; i < channels; ++i)
          for (int64_t t = 0; t < group; ++t) {
            Value result = arith::DivFOp::create(builder, loc, totals[(v * channels + i) * group + t], divisors[t]);
            rows.store(result, out, {add(token, index(t)), channelOf(index((first + v) * lanes), i)},
                       maskOf(first + v));
          }
    }
  }

  /// Sums over the positions of `vectors` vectors of elements from vector `first` on: by vector, channel and token.
  SmallVector<Value> totalsOfValues(int64_t first, int64_t vectors) {
    const SmallVector<Value> none(vectors * cache.channelsPerElement() * group, rows.splat(0.0f));
    auto tiles = scf::ForOp::create(builder, loc, index(0), steps(count), index(1), none);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(tiles.getBody());
    Value begin = times(tiles.getInductionVar(), kernel::cachePositions);
    Value here = arith::MinUIOp::create(builder, loc, arith::SubIOp::create(builder, loc, count, begin),
                                        index(kernel::cachePositions));
    auto positions = scf::ForOp::create(builder, loc, index(0), here, index(1), tiles.getRegionIterArgs());
    scf::YieldOp::create(builder, loc, positions.getResults());
    builder.setInsertionPointToStart(positions.getBody());
    Value within = positions.getInductionVar();
    SmallVector<Value> weights, next(positions.getRegionIterArgs());
    for (int64_t t = 0; t < group; ++t)
      weights.push_back(rows.splat(
          memref::LoadOp::create(builder, loc, scores, ValueRange{index(t), add(begin, within)}).getResult()));
    const CachePlace place = {tiles.getInductionVar(), cacheHead, within};
    auto sum = next.begin();
    for (int64_t v = 0; v < vectors; ++v)
      for (Value value : cache.values(place, index((first + v) * lanes), maskOf(first + v)))
        for (int64_t t = 0; t < group; ++t, ++sum)
          *sum = rows.multiplyAdd(weights[t], value, *sum);
    scf::YieldOp::create(builder, loc, next);
    return SmallVector<Value>(tiles.getResults());
  }

  /// The lanes of vector number `v` of a head's elements that are elements, or nothing when all are.
  Value maskOf(int64_t v) { return rows.maskFor(cache.elements() - v * lanes); }

  /// Runs `body` over the positions that the last token sees, several tiles at a time, carrying a value for each token.
  SmallVector<Value> forEachStep(ArrayRef<Value> carried,
                                 function_ref<SmallVector<Value>(Value firstTile, ValueRange)> body) {
    auto loop = scf::ForOp::create(builder, loc, index(0), steps(count), index(tilesAtOnce), carried);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    scf::YieldOp::create(builder, loc, body(loop.getInductionVar(), loop.getRegionIterArgs()));
    return SmallVector<Value>(loop.getResults());
  }

  /// Each token's vector as one number.
  SmallVector<Value> reduced(vector::CombiningKind kind, ArrayRef<Value> vectors) {
    return llvm::map_to_vector(vectors, [&](Value vector) -> Value {
      return vector::ReductionOp::create(builder, loc, kind, vector, arith::FastMathFlags::reassoc);
    });
  }

  /// Vectors of positions in a step.
  int64_t vectorsAtOnce() { return tilesAtOnce * kernel::cachePositions / lanes; }
  /// Cache tiles that `positions` take.
  Value steps(Value positions) {
    return arith::CeilDivUIOp::create(builder, loc, positions, index(kernel::cachePositions));
  }
  Value index(int64_t value) { return rows.index(value); }
  Value add(Value a, Value b) { return builder.createOrFold<arith::AddIOp>(loc, a, b); }
  Value times(Value a, int64_t factor) { return builder.createOrFold<arith::MulIOp>(loc, a, index(factor)); }

  AttentionOp op;
  Value out;
  OpBuilder &builder;
  Location loc;
  int64_t lanes;
  RowBuilder rows;
  CacheRows cache;
  int64_t group = 1, tilesAtOnce = 1;
  Value queries, scores;
  Value token, cacheHead, base, count; // of the iteration: the group's first token, and what its last one sees
};

class LowerAttentionPass : public halftone::impl::LowerAttentionBase<LowerAttentionPass> {
public:
  void runOnOperation() override {
    if (failed(lowerKernels<AttentionOp>(
            getOperation(), [](KernelOp kernel, OpBuilder &builder) { AttentionLowering(kernel, builder).run(); })))
      signalPassFailure();
  }
};

} // namespace
