// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Emits the loop over a tile's blocks.
#include "passes/lower/BlockDot.h"

#include "passes/targets/Target.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

/// Vectors of codes decoded together: one line of the narrowest plane.
static constexpr int64_t vectorsPerStep = 8;

BlockDot::BlockDot(LinearOp linear, kernel::ScheduleAttr schedule, OpBuilder &builder)
    : builder(builder), loc(linear.getLoc()), lanes(schedule.getLanes()), dot(schedule.getDot()),
      ahead(targets::architectureOf(targets::targetOf(linear)).prefetch), input(linear, builder, loc),
      weight(linear.getWeight(), builder, loc) {}

Value BlockDot::constant(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }

Value BlockDot::plus(Value index, int64_t offset) {
  return offset == 0 ? index : arith::AddIOp::create(builder, loc, index, constant(offset));
}

SmallVector<Value> BlockDot::sums(Value tile, Value first, int64_t count) {
  weight.setTile(tile);
  return weight.format().isPlain() ? plainSums(first, count) : blockSums(first, count);
}

/// Plain elements: one block, no scale.
SmallVector<Value> BlockDot::plainSums(Value first, int64_t count) {
  Value zero =
      kernel::DotInitOp::create(builder, loc, VectorType::get({lanes}, builder.getF32Type()), Value(), Value(), dot);
  SmallVector<Value> totals(count, zero);
  return steps(weight.blockOffset(constant(0)), constant(0), first, weight.columns(), totals);
}

SmallVector<Value> BlockDot::blockSums(Value first, int64_t count) {
  const int64_t blocks = weight.blockCount(), length = weight.blockLength(0);
  const int64_t whole = weight.blockLength(blocks - 1) == length ? blocks : blocks - 1;
  auto type = VectorType::get({lanes}, builder.getF32Type());
  SmallVector<Value> totals(count, arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type)));
  auto loop = scf::ForOp::create(builder, loc, constant(0), constant(whole), constant(1), totals);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    scf::YieldOp::create(builder, loc, addBlock(loop.getInductionVar(), first, length, loop.getRegionIterArgs()));
  }
  totals.assign(loop.getResults().begin(), loop.getResults().end());
  if (whole < blocks)
    totals = addBlock(constant(whole), first, weight.blockLength(whole), totals);
  return totals;
}

/// Adds block number `block` of `length` columns to the tokens' totals.
SmallVector<Value> BlockDot::addBlock(Value block, Value first, int64_t length, ValueRange totals) {
  Value offset = weight.blockOffset(block);
  if (totals.size() == 1 && ahead)
    weight.prefetch(offset, formats::blockBytes(weight.format(), weight.layout(), length), ahead);
  Value firstCode = arith::MulIOp::create(builder, loc, block, constant(kernel::paddedBlock(weight.blockLength(0))));
  Value zeros = weight.zeros(offset, length);
  SmallVector<Value> accumulators;
  for (size_t t = 0; t < totals.size(); ++t)
    accumulators.push_back(start(zeros, block, plus(first, t)));
  accumulators = steps(offset, firstCode, first, length, accumulators);

  Value worth = weight.steps(offset, length);
  SmallVector<Value> result;
  for (size_t t = 0; t < totals.size(); ++t) {
    Value scale = input.scale(plus(first, t), block);
    Value both =
        arith::MulFOp::create(builder, loc, worth, vector::BroadcastOp::create(builder, loc, worth.getType(), scale));
    result.push_back(kernel::DotFinishOp::create(builder, loc, accumulators[t], both, totals[t], dot));
  }
  return result;
}

/// A token's accumulator for a block: minus the zero points times the sum of the activations.
Value BlockDot::start(Value zeros, Value block, Value token) {
  return kernel::DotInitOp::create(builder, loc, VectorType::get({lanes}, builder.getI32Type()), zeros,
                                   input.sum(token, block), dot);
}

/// All columns of a block: a loop when there are many.
SmallVector<Value> BlockDot::steps(Value blockOffset, Value firstCode, Value firstToken, int64_t length,
                                   ValueRange accumulators) {
  const int64_t columns = vectorsPerStep * weight.layout().group, whole = length / columns;
  SmallVector<Value> result(accumulators);
  if (whole == 1) {
    result = step(blockOffset, constant(0), firstCode, firstToken, length, columns, result);
  } else if (whole > 1) {
    auto loop = scf::ForOp::create(builder, loc, constant(0), constant(whole * vectorsPerStep),
                                   constant(vectorsPerStep), result);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    scf::YieldOp::create(
        builder, loc,
        step(blockOffset, loop.getInductionVar(), firstCode, firstToken, length, columns, loop.getRegionIterArgs()));
    result.assign(loop.getResults().begin(), loop.getResults().end());
  }
  if (length % columns != 0)
    result =
        step(blockOffset, constant(whole * vectorsPerStep), firstCode, firstToken, length, length % columns, result);
  return result;
}

/// The vectors of `columns` columns from vector `firstVector` on, times the same columns of each token.
SmallVector<Value> BlockDot::step(Value blockOffset, Value firstVector, Value firstCode, Value firstToken,
                                  int64_t length, int64_t columns, ValueRange accumulators) {
  const formats::Format format = weight.format();
  const int64_t group = weight.layout().group, count = formats::vectorCount(weight.layout(), columns);
  if (format.isPlain() && accumulators.size() == 1 && ahead) {
    const int64_t line = formats::lineBytes(weight.layout()) * formats::scalarBytes(format.code.scalar);
    Value from = arith::AddIOp::create(builder, loc, blockOffset,
                                       arith::MulIOp::create(builder, loc, firstVector, constant(line)));
    weight.prefetch(from, count * line, ahead);
  }
  SmallVector<Value> levels = weight.levels(blockOffset, firstVector, count, length);
  Value column = arith::MulIOp::create(builder, loc, firstVector, constant(group));
  column = arith::AddIOp::create(builder, loc, firstCode, column);
  auto highest = builder.getI64IntegerAttr(format.isPlain() ? 0 : format.code.highestLevel());
  SmallVector<Value> result;
  for (auto [t, accumulator] : llvm::enumerate(accumulators)) {
    const SmallVector<Value> activations = input.groups(plus(firstToken, t), column, count);
    result.push_back(
        kernel::DotStepOp::create(builder, loc, accumulator.getType(), accumulator, levels, activations, highest, dot));
  }
  return result;
}
