// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Causal attention of one token and head at a time over the cache.
#include "passes/lower/Passes.h"
#include "passes/lower/RowBuilder.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_LOWERATTENTION
#include "passes/lower/Passes.h.inc"
} // namespace halftone

namespace {

class AttentionLowering {
public:
  AttentionLowering(KernelOp kernel, OpBuilder &builder)
      : op(cast<AttentionOp>(coreOf(kernel))), out(kernel.getOuts().front()), builder(builder), loc(op.getLoc()),
        lanes(scheduleOf(kernel).getLanes()), rows(builder, loc, lanes) {}

  void run() {
    const int64_t tokens = cast<ShapedType>(op.getType()).getDimSize(0), heads = op.getHeads();
    const int64_t share = heads / op.getCache().getType().getHeads();
    keys = kernel::keysOf(op.getCache(), builder, loc);
    values = kernel::valuesOf(op.getCache(), builder, loc);
    queries = bufferOf(op.getQueries());
    // Scores of the longest past of this call: each thread has its own, on its stack.
    Value longest = times(steps(add(op.getPast(), index(tokens))), kernel::cachePositions);
    scores = memref::AllocaOp::create(builder, loc, MemRefType::get({ShapedType::kDynamic}, builder.getF32Type()),
                                      longest, builder.getI64IntegerAttr(64));
    parallelLoop(builder, loc, tokens * heads, [&](Value i) {
      token = arith::DivUIOp::create(builder, loc, i, index(heads));
      Value head = arith::RemUIOp::create(builder, loc, i, index(heads));
      cacheHead = arith::DivUIOp::create(builder, loc, head, index(share));
      base = times(head, size());
      count = add(add(op.getPast(), token), index(1));
      Value largest = computeScores();
      Value sum = exponentiate(largest);
      sumValues(sum);
    });
  }

private:
  int64_t size() { return op.getCache().getType().getSize(); }

  /// scores[p] = scale * q . k[p], minus infinity for positions that the token does not see. Gives the largest.
  Value computeScores() {
    constexpr float never = -std::numeric_limits<float>::infinity();
    Value scale = rows.splat(op.getScale().convertToFloat());
    Value largest = forEachPosition(rows.splat(never), [&](Value tile, int64_t within, Value position, Value best) {
      Value product = dotWithKeys(tile, within);
      Value scaled = arith::MulFOp::create(builder, loc, product, scale);
      Value left = arith::SubIOp::create(builder, loc, builder.createOrFold<arith::IndexCastOp>(loc, builder.getI64Type(), count),
                                         builder.createOrFold<arith::IndexCastOp>(loc, builder.getI64Type(), position));
      Value zero = arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(0));
      Value seenLanes = arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                                   arith::MaxSIOp::create(builder, loc, left, zero));
      Value seen = vector::CreateMaskOp::create(builder, loc, rows.vectorOf(builder.getI1Type()), seenLanes);
      Value score = arith::SelectOp::create(builder, loc, seen, scaled, rows.splat(never));
      rows.store(score, scores, position, {});
      return arith::MaximumFOp::create(builder, loc, best, score).getResult();
    });
    return vector::ReductionOp::create(builder, loc, vector::CombiningKind::MAXIMUMF, largest);
  }

  /// The query's products with one vector of positions: a sum over the head's channels, in order.
  Value dotWithKeys(Value tile, int64_t within) {
    constexpr int64_t unroll = 8;
    auto channel = [&](Value c, Value sum) -> Value {
      Value key = rows.load(keys, {tile, cacheHead, c, index(within)}, {});
      Value query = memref::LoadOp::create(builder, loc, queries, ValueRange{token, add(base, c)});
      return rows.multiplyAdd(key, rows.splat(query), sum);
    };
    const int64_t whole = size() / unroll * unroll;
    auto loop = scf::ForOp::create(builder, loc, index(0), index(whole), index(unroll), rows.splat(0.0f));
    {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(loop.getBody());
      Value sum = loop.getRegionIterArgs().front();
      for (int64_t i = 0; i < unroll; ++i)
        sum = channel(add(loop.getInductionVar(), index(i)), sum);
      scf::YieldOp::create(builder, loc, sum);
    }
    Value sum = loop.getResult(0);
    for (int64_t c = whole; c < size(); ++c)
      sum = channel(index(c), sum);
    return sum;
  }

  /// scores[p] = exp(scores[p] - largest). Gives their sum.
  Value exponentiate(Value largest) {
    Value shift = rows.splat(largest);
    Value sums = forEachPosition(rows.splat(0.0f), [&](Value, int64_t, Value position, Value sum) {
      Value score = rows.load(scores, position, {});
      Value power = math::ExpOp::create(builder, loc, arith::SubFOp::create(builder, loc, score, shift));
      rows.store(power, scores, position, {});
      return arith::AddFOp::create(builder, loc, sum, power).getResult();
    });
    return vector::ReductionOp::create(builder, loc, vector::CombiningKind::ADD, sums, arith::FastMathFlags::reassoc);
  }

  /// out = sum over positions of scores[p] * v[p] / sum, position by position.
  void sumValues(Value sum) {
    SmallVector<Value> totals(formats::divideUp(size(), lanes), rows.splat(0.0f));
    auto tiles = scf::ForOp::create(builder, loc, index(0), steps(count), index(1), totals);
    {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(tiles.getBody());
      Value first = times(tiles.getInductionVar(), kernel::cachePositions);
      Value left = arith::SubIOp::create(builder, loc, count, first);
      Value here = arith::MinUIOp::create(builder, loc, left, index(kernel::cachePositions));
      auto positions = scf::ForOp::create(builder, loc, index(0), here, index(1), tiles.getRegionIterArgs());
      {
        OpBuilder::InsertionGuard inner(builder);
        builder.setInsertionPointToStart(positions.getBody());
        Value within = positions.getInductionVar();
        Value weight = rows.splat(memref::LoadOp::create(builder, loc, scores, add(first, within)).getResult());
        scf::YieldOp::create(builder, loc, addValue(tiles.getInductionVar(), within, weight,
                                                    positions.getRegionIterArgs()));
      }
      scf::YieldOp::create(builder, loc, positions.getResults());
    }
    Value divisor = rows.splat(sum);
    forEachVectorOfHead([&](int64_t v, Value channel, Value mask) {
      Value result = arith::DivFOp::create(builder, loc, tiles.getResult(v), divisor);
      rows.store(result, out, {token, add(base, channel)}, mask);
    });
  }

  SmallVector<Value> addValue(Value tile, Value within, Value weight, ValueRange totals) {
    SmallVector<Value> result;
    forEachVectorOfHead([&](int64_t v, Value channel, Value mask) {
      Value value = rows.load(values, {tile, cacheHead, within, channel}, mask);
      result.push_back(rows.multiplyAdd(weight, value, totals[v]));
    });
    return result;
  }

  /// Always unrolled: the totals are one vector each.
  void forEachVectorOfHead(function_ref<void(int64_t, Value channel, Value mask)> body) {
    for (int64_t v = 0; v * lanes < size(); ++v)
      body(v, index(v * lanes), rows.maskFor(size() - v * lanes));
  }

  /// Runs `body` over the positions that the token sees, a vector at a time, carrying one value. `within` is where in
  /// its tile the vector begins.
  Value forEachPosition(Value carried, function_ref<Value(Value tile, int64_t within, Value position, Value)> body) {
    auto loop = scf::ForOp::create(builder, loc, index(0), steps(count), index(1), carried);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    Value value = loop.getRegionIterArgs().front();
    Value first = times(loop.getInductionVar(), kernel::cachePositions);
    for (int64_t within = 0; within < kernel::cachePositions; within += lanes)
      value = body(loop.getInductionVar(), within, add(first, index(within)), value);
    scf::YieldOp::create(builder, loc, value);
    return loop.getResult(0);
  }

  /// Cache tiles that `positions` take.
  Value steps(Value positions) {
    return arith::CeilDivUIOp::create(builder, loc, positions, index(kernel::cachePositions));
  }
  Value index(int64_t value) { return rows.index(value); }
  Value add(Value a, Value b) { return arith::AddIOp::create(builder, loc, a, b); }
  Value times(Value a, int64_t factor) { return arith::MulIOp::create(builder, loc, a, index(factor)); }

  AttentionOp op;
  Value out;
  OpBuilder &builder;
  Location loc;
  int64_t lanes;
  RowBuilder rows;
  Value keys, values, queries, scores, token, cacheHead, base, count;
};

class LowerAttentionPass : public halftone::impl::LowerAttentionBase<LowerAttentionPass> {
public:
  void runOnOperation() override {
    if (failed(lowerKernels<AttentionOp>(getOperation(),
                   [](KernelOp kernel, OpBuilder &builder) { AttentionLowering(kernel, builder).run(); })))
      signalPassFailure();
  }
};

} // namespace
