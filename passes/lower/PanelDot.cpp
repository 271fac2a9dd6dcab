// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The nest of loops: ranges of columns that fit into the first cache, groups of tokens, blocks, columns.
#include "passes/lower/PanelDot.h"

#include "passes/lower/RowBuilder.h"
#include "passes/targets/Target.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

/// Columns decoded at once: 3 tiles of 16 rows take 24 KB, which leaves half of a first cache to activations.
static constexpr int64_t columnsAtOnce = 512;
/// Vectors of columns whose products are written out one after the other.
static constexpr int64_t unrolled = 8;

/// Blocks of a plain weight are this package's own.
static int64_t blockLengthOf(WeightType type) {
  const formats::Format &format = type.getFormat().getValue();
  const int64_t columns = type.getShape()[1];
  return format.isPlain() ? std::min(columns, columnsAtOnce) : format.blockLength(columns, 0);
}

PanelDot::PanelDot(LinearOp linear, kernel::ScheduleAttr schedule, OpBuilder &builder)
    : builder(builder), loc(linear.getLoc()), schedule(schedule),
      most(cast<ShapedType>(linear.getType()).getDimSize(0)),
      format(linear.getWeight().getType().getFormat().getValue()), length(blockLengthOf(linear.getWeight().getType())),
      blocks(formats::divideUp(linear.getWeight().getType().getShape()[1], length)),
      lastLength(linear.getWeight().getType().getShape()[1] - (blocks - 1) * length),
      // As few ranges as fit, all of about the same size.
      blocksAtOnce(formats::divideUp(blocks, formats::divideUp(blocks, std::max<int64_t>(columnsAtOnce / length, 1)))),
      input(linear, builder, loc), panel(linear.getWeight(), schedule.getTiles(), blocksAtOnce, builder, loc) {
  count = getValueOrCreateConstantIndexOp(builder, loc, tokensOfCall(builder, loc, most));
  auto type = MemRefType::get({most, schedule.getTiles(), schedule.getLanes()}, builder.getF32Type());
  memory = memref::AllocaOp::create(builder, loc, type, builder.getI64IntegerAttr(64));
}

Value PanelDot::index(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }

Value PanelDot::plus(Value index, int64_t offset) {
  return builder.createOrFold<arith::AddIOp>(loc, index, this->index(offset));
}

void PanelDot::run(Value firstTile, int64_t tiles) {
  clearSums(tiles);
  forEachRange([&](const BlockRange &range) {
    panel.decode(firstTile, tiles, range);
    forEachGroup([&](Value first, int64_t count) { addRange(range, tiles, first, count); });
  });
}

void PanelDot::clearSums(int64_t tiles) {
  auto type = VectorType::get({schedule.getLanes()}, builder.getF32Type());
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  auto loop = scf::ForOp::create(builder, loc, index(0), count, index(1));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  for (int64_t tile = 0; tile < tiles; ++tile)
    setSum(zero, loop.getInductionVar(), tile);
}

/// Whole ranges in a loop, then what is left of whole blocks, then a short last block.
void PanelDot::forEachRange(function_ref<void(const BlockRange &)> body) {
  const int64_t whole = lastLength == length ? blocks : blocks - 1, ranges = whole / blocksAtOnce;
  auto emit = [&](Value first, int64_t number, int64_t columns) {
    body({first, number, columns, arith::MulIOp::create(builder, loc, first, index(length))});
  };
  auto loop = scf::ForOp::create(builder, loc, index(0), index(ranges * blocksAtOnce), index(blocksAtOnce));
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    emit(loop.getInductionVar(), blocksAtOnce, length);
  }
  if (whole % blocksAtOnce != 0)
    emit(index(ranges * blocksAtOnce), whole % blocksAtOnce, length);
  if (whole < blocks)
    emit(index(whole), 1, lastLength);
}

/// Groups of tokens whose sums fit into registers.
void PanelDot::forEachGroup(function_ref<void(Value, int64_t)> body) {
  const int64_t group = schedule.getTokens(), left = most % group;
  Value whole = left ? index(most - left) : count; // a call of fewer tokens has whole groups
  auto loop = scf::ForOp::create(builder, loc, index(0), whole, index(group));
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    body(loop.getInductionVar(), group);
  }
  if (left)
    body(whole, left);
}

/// Adds the products of the range to the sums of `count` tokens.
void PanelDot::addRange(const BlockRange &range, int64_t tiles, Value first, int64_t count) {
  Values totals;
  for (int64_t t = 0; t < count; ++t)
    for (int64_t tile = 0; tile < tiles; ++tile)
      totals.push_back(sum(plus(first, t), tile));
  auto loop = scf::ForOp::create(builder, loc, index(0), index(range.count), index(1), totals);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    Values next = addBlock(range, loop.getInductionVar(), tiles, first, loop.getRegionIterArgs());
    scf::YieldOp::create(builder, loc, next);
  }
  for (int64_t t = 0; t < count; ++t)
    for (int64_t tile = 0; tile < tiles; ++tile)
      setSum(loop.getResult(t * tiles + tile), plus(first, t), tile);
}

/// The totals, token by token and tile by tile, after block number `block` of the range.
PanelDot::Values PanelDot::addBlock(const BlockRange &range, Value block, int64_t tiles, Value first,
                                    ValueRange totals) {
  const int64_t vectors = formats::vectorCount(panel.weight().layout(), range.length);
  const int64_t count = static_cast<int64_t>(totals.size()) / tiles;
  Value vector = arith::MulIOp::create(builder, loc, block, index(vectors));
  Value column = arith::AddIOp::create(builder, loc, range.first, block);
  if (format.isPlain())
    return addVectors(vector, arith::MulIOp::create(builder, loc, column, index(length)), vectors, tiles, first,
                      totals);

  Value inputBlock = column;
  column = arith::MulIOp::create(builder, loc, column, index(kernel::paddedBlock(length)));
  auto integers = VectorType::get({schedule.getLanes()}, builder.getI32Type());
  Values accumulators, result;
  for (int64_t t = 0; t < count; ++t)
    for (int64_t tile = 0; tile < tiles; ++tile)
      accumulators.push_back(kernel::DotInitOp::create(builder, loc, integers, panel.zeros(block, tile),
                                                       input.sum(plus(first, t), inputBlock), schedule.getDot()));
  accumulators = addVectors(vector, column, vectors, tiles, first, accumulators);
  for (int64_t t = 0; t < count; ++t) {
    Value scale = input.scale(plus(first, t), inputBlock);
    for (int64_t tile = 0; tile < tiles; ++tile) {
      Value step = panel.steps(block, tile);
      Value both =
          arith::MulFOp::create(builder, loc, step, vector::BroadcastOp::create(builder, loc, step.getType(), scale));
      const int64_t i = t * tiles + tile;
      result.push_back(kernel::DotFinishOp::create(builder, loc, accumulators[i], both, totals[i], schedule.getDot()));
    }
  }
  return result;
}

/// Adds the products of `vectors` vectors, from `firstVector` of the panel and `firstColumn` of the input on.
PanelDot::Values PanelDot::addVectors(Value firstVector, Value firstColumn, int64_t vectors, int64_t tiles,
                                      Value firstToken, ValueRange accumulators) {
  const int64_t group = panel.weight().layout().group;
  const int64_t count = static_cast<int64_t>(accumulators.size()) / tiles;
  const int64_t atOnce = targets::findDot(schedule.getDot())->vectors;
  auto highest = builder.getI64IntegerAttr(format.isPlain() ? 0 : format.code.highestLevel());
  /// `number` vectors from `from` on, in steps of as many as the instruction takes at once.
  auto addSome = [&](Value from, int64_t number, ValueRange before) {
    Value vector = arith::AddIOp::create(builder, loc, firstVector, from);
    Value column =
        arith::AddIOp::create(builder, loc, firstColumn, arith::MulIOp::create(builder, loc, from, index(group)));
    Values sums(before);
    SmallVector<Values> groups;
    for (int64_t t = 0; t < count; ++t)
      groups.push_back(input.groups(plus(firstToken, t), column, number));
    for (int64_t step = 0; step < number; step += atOnce) {
      const int64_t last = std::min(step + atOnce, number);
      SmallVector<Values> levels(tiles);
      for (int64_t i = step; i < last; ++i)
        for (int64_t tile = 0; tile < tiles; ++tile)
          levels[tile].push_back(panel.levels(plus(vector, i), tile));
      for (auto [i, sum] : llvm::enumerate(sums)) {
        const ValueRange inputs = ValueRange(groups[i / tiles]).slice(step, last - step);
        sum = kernel::DotStepOp::create(builder, loc, sum.getType(), sum, levels[i % tiles], inputs, highest,
                                        schedule.getDot());
      }
    }
    return sums;
  };
  const int64_t whole = vectors / unrolled * unrolled;
  Values sums(accumulators);
  if (whole > 0) {
    auto loop = scf::ForOp::create(builder, loc, index(0), index(whole), index(unrolled), sums);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    scf::YieldOp::create(builder, loc, addSome(loop.getInductionVar(), unrolled, loop.getRegionIterArgs()));
    sums.assign(loop.getResults().begin(), loop.getResults().end());
  }
  if (whole < vectors)
    sums = addSome(index(whole), vectors - whole, sums);
  return sums;
}

Value PanelDot::sum(Value token, int64_t tile) {
  auto type = VectorType::get({schedule.getLanes()}, builder.getF32Type());
  return vector::LoadOp::create(builder, loc, type, memory, ValueRange{token, index(tile), index(0)});
}

void PanelDot::setSum(Value vector, Value token, int64_t tile) {
  vector::StoreOp::create(builder, loc, vector, memory, ValueRange{token, index(tile), index(0)});
}
