// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rotary embeddings, and putting keys and values into the cache: a loop over tokens and heads.
#include "passes/lower/CacheRows.h"
#include "passes/lower/Passes.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_LOWERROPE
#include "passes/lower/Passes.h.inc"
} // namespace halftone

namespace {

/// What the loops of one kernel share.
class HeadLowering {
public:
  HeadLowering(KernelOp kernel, OpBuilder &builder)
      : kernel(kernel), builder(builder), loc(kernel.getLoc()), rows(builder, loc, scheduleOf(kernel).getLanes()) {}

  void run() {
    for (auto [value, out] : llvm::zip(kernel.getYielded(), kernel.getOuts()))
      rotate(value.getDefiningOp<RopeOp>(), out);
    kernel.walk([&](AppendOp append) { this->append(append); });
  }

private:
  void rotate(RopeOp rope, Value out) {
    const int64_t tokens = rope.getInput().getType().getDimSize(0), heads = rope.getHeads();
    const int64_t size = rope.getInput().getType().getDimSize(1) / heads;
    const int64_t positions = rope.getCos().getType().getShape()[0], pairs = rope.getCos().getType().getShape()[1];
    Value cos = table(rope.getCos()), sin = table(rope.getSin()), input = bufferOf(rope.getInput());
    forEachHead(tokens, heads, [&](Value token, Value head) {
      // Tokens that pad the last chunk may stand behind the table; nothing reads what becomes of them.
      Value position = arith::MinUIOp::create(builder, loc, add(rope.getPast(), token), rows.index(positions - 1));
      Value angle = times(position, pairs), base = times(head, size);
      if (rope.getInterleaved())
        rotateNeighbours(token, base, angle, pairs, input, cos, sin, out);
      else
        rotateHalves(token, base, angle, pairs, input, cos, sin, out);
      rows.forEachVector(add(base, rows.index(2 * pairs)), size - 2 * pairs, [&](Value column, Value mask) {
        rows.store(rows.load(input, {token, column}, mask), out, {token, column}, mask);
      });
    });
  }

  /// Pairs (i, i + pairs): vectors of both halves.
  void rotateHalves(Value token, Value base, Value angle, int64_t pairs, Value input, Value cos, Value sin, Value out) {
    rows.forEachVector(rows.index(0), pairs, [&](Value i, Value mask) {
      Value low = add(base, i), high = add(low, rows.index(pairs)), at = add(angle, i);
      Value x = rows.load(input, {token, low}, mask), y = rows.load(input, {token, high}, mask);
      auto [first, second] = rotated(x, y, rows.load(cos, {at}, mask), rows.load(sin, {at}, mask));
      rows.store(first, out, {token, low}, mask);
      rows.store(second, out, {token, high}, mask);
    });
  }

  /// Pairs (2i, 2i + 1): one at a time.
  void rotateNeighbours(Value token, Value base, Value angle, int64_t pairs, Value input, Value cos, Value sin,
                        Value out) {
    auto loop = scf::ForOp::create(builder, loc, rows.index(0), rows.index(pairs), rows.index(1));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    Value i = loop.getInductionVar(), at = add(angle, i);
    Value low = add(base, times(i, 2)), high = add(low, rows.index(1));
    auto read = [&](Value memory, ValueRange where) { return memref::LoadOp::create(builder, loc, memory, where); };
    auto [first, second] = rotated(read(input, {token, low}), read(input, {token, high}), read(cos, at), read(sin, at));
    memref::StoreOp::create(builder, loc, first, out, ValueRange{token, low});
    memref::StoreOp::create(builder, loc, second, out, ValueRange{token, high});
  }

  /// (x cos - y sin, y cos + x sin).
  std::pair<Value, Value> rotated(Value x, Value y, Value cos, Value sin) {
    auto product = [&](Value a, Value b) { return arith::MulFOp::create(builder, loc, a, b); };
    return {arith::SubFOp::create(builder, loc, product(x, cos), product(y, sin)),
            arith::AddFOp::create(builder, loc, product(y, cos), product(x, sin))};
  }

  void append(AppendOp op) {
    CacheType cache = op.getCache().getType();
    const int64_t tokens = cast<ShapedType>(op.getKeys().getType()).getDimSize(0), size = cache.getSize();
    CacheRows rowsOfCache(op.getCache(), builder, loc, rows, scheduleOf(kernel).getLanes());
    Value newKeys = bufferOf(op.getKeys()), newValues = bufferOf(op.getValues());
    forEachHead(tokens, cache.getHeads(), [&](Value token, Value head) {
      Value position = add(op.getPast(), token), step = rows.index(kernel::cachePositions);
      const CachePlace place = {arith::DivUIOp::create(builder, loc, position, step), head,
                                arith::RemUIOp::create(builder, loc, position, step)};
      rowsOfCache.append(place, newKeys, newValues, token, times(head, size));
    });
  }

  void forEachHead(int64_t tokens, int64_t heads, function_ref<void(Value token, Value head)> body) {
    Value count = getValueOrCreateConstantIndexOp(builder, loc, tokensOfCall(builder, loc, tokens));
    parallelLoop(builder, loc, times(count, heads), [&](Value index) {
      body(arith::DivUIOp::create(builder, loc, index, rows.index(heads)),
           arith::RemUIOp::create(builder, loc, index, rows.index(heads)));
    });
  }

  Value table(Value handle) {
    auto layout = StridedLayoutAttr::get(builder.getContext(), ShapedType::kDynamic, {1});
    auto type = MemRefType::get({ShapedType::kDynamic}, builder.getF32Type(), layout);
    return kernel::MemoryOp::create(builder, loc, type, handle);
  }
  Value add(Value a, Value b) { return arith::AddIOp::create(builder, loc, a, b); }
  Value times(Value a, int64_t factor) { return builder.createOrFold<arith::MulIOp>(loc, a, rows.index(factor)); }

  KernelOp kernel;
  OpBuilder &builder;
  Location loc;
  RowBuilder rows;
};

class LowerRopePass : public halftone::impl::LowerRopeBase<LowerRopePass> {
public:
  void runOnOperation() override {
    if (failed(lowerKernels<RopeOp, AppendOp>(
            getOperation(), [](KernelOp kernel, OpBuilder &builder) { HeadLowering(kernel, builder).run(); })))
      signalPassFailure();
  }
};

} // namespace
