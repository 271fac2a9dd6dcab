// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rows of a packed table: decode the tile that holds the row, take the row's lane.
#include "passes/lower/PackedTile.h"
#include "passes/lower/Passes.h"
#include "passes/lower/RowBuilder.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_LOWEREMBEDDING
#include "passes/lower/Passes.h.inc"
} // namespace halftone

namespace {

/// Vectors of codes decoded together: one line of the narrowest plane.
constexpr int64_t vectorsPerStep = 8;

class EmbeddingLowering {
public:
  EmbeddingLowering(KernelOp kernel, OpBuilder &builder)
      : op(cast<EmbeddingOp>(coreOf(kernel))), out(kernel.getOuts().front()), builder(builder), loc(op.getLoc()) {}

  void run() {
    const int64_t tokens = cast<MemRefType>(out.getType()).getDimSize(0);
    parallelLoop(builder, loc, tokensOfCall(builder, loc, tokens), [&](Value index) {
      token = index;
      PackedTile table(op.getTable(), builder, loc);
      Value id = memref::LoadOp::create(builder, loc, bufferOf(op.getTokens()), token);
      Value row = arith::IndexCastOp::create(builder, loc, builder.getIndexType(), id);
      Value lanes = constant(table.layout().lanes);
      lane = arith::RemUIOp::create(builder, loc, row, lanes);
      table.setTile(arith::DivUIOp::create(builder, loc, row, lanes));
      writeBlocks(table);
    });
  }

private:
  void writeBlocks(PackedTile &table) {
    const int64_t blocks = table.blockCount(), length = table.blockLength(0);
    const int64_t whole = table.blockLength(blocks - 1) == length ? blocks : blocks - 1;
    loop(0, whole, 1, [&](Value block) { writeBlock(table, block, length, length); });
    if (whole < blocks)
      writeBlock(table, constant(whole), length, table.blockLength(whole));
  }

  /// Block number `block` of `length` columns, where a whole block has `full`.
  void writeBlock(PackedTile &table, Value block, int64_t full, int64_t length) {
    Value offset = table.blockOffset(block);
    Value column = arith::MulIOp::create(builder, loc, block, constant(full));
    Value step = table.format().isPlain() ? Value() : extract(table.steps(offset, length));
    Value zero;
    if (step) {
      zero = table.zeros(offset, length);
      if (isa<VectorType>(zero.getType()))
        zero = extract(zero);
    }
    const int64_t group = table.layout().group, vectors = formats::vectorCount(table.layout(), length);
    const int64_t whole = length / (group * vectorsPerStep) * vectorsPerStep;
    auto write = [&](Value first, int64_t count, int64_t columns) {
      SmallVector<Value> levels = table.levels(offset, first, count, length);
      Value from =
          arith::AddIOp::create(builder, loc, column, arith::MulIOp::create(builder, loc, first, constant(group)));
      for (int64_t i = 0; i < columns; ++i)
        store(value(table, levels[i / group], i % group, zero, step), plus(from, i));
    };
    loop(0, whole, vectorsPerStep, [&](Value first) { write(first, vectorsPerStep, vectorsPerStep * group); });
    if (whole < vectors)
      write(constant(whole), vectors - whole, length - whole * group);
  }

  /// The lane's element number `index` of a vector of levels, as the format defines it.
  Value value(PackedTile &table, Value levels, int64_t index, Value zero, Value step) {
    Value at = lane;
    if (const int64_t group = table.layout().group; group > 1)
      at = plus(arith::MulIOp::create(builder, loc, lane, constant(group)), index);
    Value element = vector::ExtractOp::create(builder, loc, levels, at);
    Type f32 = builder.getF32Type();
    if (table.format().isPlain())
      return element.getType() == f32 ? element : arith::ExtFOp::create(builder, loc, f32, element).getResult();
    Type i32 = builder.getI32Type();
    Value level = table.layout().less ? arith::ExtSIOp::create(builder, loc, i32, element).getResult()
                                      : arith::ExtUIOp::create(builder, loc, i32, element).getResult();
    Value distance = arith::SubIOp::create(builder, loc, level, zero);
    return arith::MulFOp::create(builder, loc, arith::SIToFPOp::create(builder, loc, f32, distance), step);
  }

  void loop(int64_t from, int64_t to, int64_t step, function_ref<void(Value)> body) {
    if (from == to)
      return;
    auto loop = scf::ForOp::create(builder, loc, constant(from), constant(to), constant(step));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    body(loop.getInductionVar());
  }

  Value extract(Value vector) { return vector::ExtractOp::create(builder, loc, vector, lane); }
  void store(Value value, Value column) {
    memref::StoreOp::create(builder, loc, value, out, ValueRange{token, column});
  }
  Value constant(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }
  Value plus(Value index, int64_t offset) {
    return offset == 0 ? index : arith::AddIOp::create(builder, loc, index, constant(offset)).getResult();
  }

  EmbeddingOp op;
  Value out;
  OpBuilder &builder;
  Location loc;
  Value token, lane;
};

class LowerEmbeddingPass : public halftone::impl::LowerEmbeddingBase<LowerEmbeddingPass> {
public:
  void runOnOperation() override {
    if (failed(lowerKernels<EmbeddingOp>(
            getOperation(), [](KernelOp kernel, OpBuilder &builder) { EmbeddingLowering(kernel, builder).run(); })))
      signalPassFailure();
  }
};

} // namespace
