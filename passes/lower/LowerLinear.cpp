// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Matrix products and the elementwise operations on them, by tiles of the weight's rows.
#include "passes/lower/BlockDot.h"
#include "passes/lower/PanelDot.h"
#include "passes/lower/Passes.h"
#include "passes/lower/RowBuilder.h"

#include "llvm/ADT/EquivalenceClasses.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_LOWERLINEAR
#include "passes/lower/Passes.h.inc"
} // namespace halftone

namespace {

/// Linears that share a loop, because an elementwise operation joins them, and what the kernel stores of them.
struct Component {
  SmallVector<LinearOp> linears;
  SmallVector<std::pair<Value, Value>> stores; // yielded value, buffer
};

/// With fewer tokens, decoding to memory first costs more than decoding again for each group of tokens.
constexpr int64_t fewestForPanels = 8;

class LinearLowering {
public:
  LinearLowering(KernelOp kernel, OpBuilder &builder)
      : kernel(kernel), builder(builder), loc(kernel.getLoc()), schedule(scheduleOf(kernel)) {}

  void run() {
    SmallVector<Component> all = components();
    for (Component &component : all)
      lower(component);
  }

private:
  /// The kernel's linears in groups that elementwise operations connect.
  SmallVector<Component> components() {
    llvm::EquivalenceClasses<Operation *> connected;
    for (Operation &op : kernel.getBody().front()) {
      if (!isa<LinearOp>(op) && !op.hasTrait<OpTrait::Elementwise>())
        continue;
      connected.insert(&op);
      for (Value operand : op.getOperands())
        if (Operation *producer = operand.getDefiningOp(); producer && connected.contains(producer))
          connected.unionSets(&op, producer);
    }
    SmallVector<Component> result;
    DenseMap<Operation *, size_t> indexOf;
    auto componentOf = [&](Operation *op) -> Component & {
      auto [entry, isNew] = indexOf.try_emplace(connected.getLeaderValue(op), result.size());
      if (isNew)
        result.emplace_back();
      return result[entry->second];
    };
    kernel.walk([&](LinearOp linear) { componentOf(linear).linears.push_back(linear); });
    for (auto [value, out] : llvm::zip(kernel.getYielded(), kernel.getOuts()))
      componentOf(value.getDefiningOp()).stores.push_back({value, out});
    return result;
  }

  void lower(Component &component) {
    ArrayRef<int64_t> shape = cast<ShapedType>(component.linears.front().getType()).getShape();
    tokens = shape[0], rows = shape[1];
    if (tokens >= fewestForPanels)
      lowerPanels(component);
    else
      lowerTiles(component);
  }

  void lowerTiles(Component &component) {
    parallelLoop(builder, loc, builder.getIndexAttr(formats::divideUp(rows, schedule.getLanes())), [&](Value tile) {
      Value column = arith::MulIOp::create(builder, loc, tile, constant(schedule.getLanes()));
      Value mask = lanesLeft(column);
      const int64_t group = std::min(schedule.getTokens(), tokens), whole = tokens / group;
      auto loop = scf::ForOp::create(builder, loc, constant(0), constant(whole * group), constant(group));
      {
        OpBuilder::InsertionGuard guard(builder);
        builder.setInsertionPointToStart(loop.getBody());
        lowerTokens(component, tile, column, mask, loop.getInductionVar(), group);
      }
      if (tokens % group != 0)
        lowerTokens(component, tile, column, mask, constant(whole * group), tokens % group);
    });
  }

  /// Each panel is several tiles, the last one what is left.
  void lowerPanels(Component &component) {
    std::vector<PanelDot> dots;
    for (LinearOp linear : component.linears)
      dots.emplace_back(linear, schedule, builder);
    Value count = dots.front().tokens();
    const int64_t all = formats::divideUp(rows, schedule.getLanes()), tiles = std::min(schedule.getTiles(), all);
    const int64_t whole = all / tiles, left = all % tiles;
    parallelLoop(builder, loc, builder.getIndexAttr(whole + (left ? 1 : 0)), [&](Value panel) {
      Value firstTile = arith::MulIOp::create(builder, loc, panel, constant(tiles));
      if (left == 0)
        return lowerPanel(component, dots, count, firstTile, tiles);
      Value isWhole = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, panel, constant(whole));
      auto choice = scf::IfOp::create(builder, loc, isWhole, /*withElseRegion=*/true);
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(choice.thenBlock());
      lowerPanel(component, dots, count, firstTile, tiles);
      builder.setInsertionPointToStart(choice.elseBlock());
      lowerPanel(component, dots, count, firstTile, left);
    });
  }

  void lowerPanel(Component &component, MutableArrayRef<PanelDot> dots, Value count, Value firstTile, int64_t tiles) {
    for (PanelDot &dot : dots)
      dot.run(firstTile, tiles);
    auto loop = scf::ForOp::create(builder, loc, constant(0), count, constant(1));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    Value token = loop.getInductionVar();
    for (int64_t i = 0; i < tiles; ++i) {
      Value tile = arith::AddIOp::create(builder, loc, firstTile, constant(i));
      Value column = arith::MulIOp::create(builder, loc, tile, constant(schedule.getLanes()));
      const auto sums = llvm::map_to_vector(dots, [&](PanelDot &dot) { return dot.sum(token, i); });
      store(component, sums, token, column, lanesLeft(column));
    }
  }

  /// A tile's products with `count` tokens from `first` on.
  void lowerTokens(Component &component, Value tile, Value column, Value mask, Value first, int64_t count) {
    SmallVector<SmallVector<Value>> sums;
    for (LinearOp linear : component.linears)
      sums.push_back(BlockDot(linear, schedule, builder).sums(tile, first, count));
    for (int64_t t = 0; t < count; ++t) {
      const auto ofToken = llvm::map_to_vector(sums, [&](ArrayRef<Value> sum) { return sum[t]; });
      store(component, ofToken, arith::AddIOp::create(builder, loc, first, constant(t)), column, mask);
    }
  }

  /// Stores what the elementwise operations make of one vector of each linear.
  void store(Component &component, ArrayRef<Value> sums, Value token, Value column, Value mask) {
    RowBuilder values(builder, loc, schedule.getLanes());
    for (auto [linear, sum] : llvm::zip(component.linears, sums))
      values.define(linear.getResult(), [sum = sum](const Place &) { return sum; });
    for (auto [value, out] : component.stores)
      values.store(values.at(value, {token, column, mask}), out, {token, column}, mask);
  }

  /// The lanes that are rows of the weight, or nothing when all are.
  Value lanesLeft(Value column) {
    if (rows % schedule.getLanes() == 0)
      return {};
    Value left = arith::SubIOp::create(builder, loc, constant(rows), column);
    auto type = VectorType::get({schedule.getLanes()}, builder.getI1Type());
    return vector::CreateMaskOp::create(builder, loc, type, left).getResult();
  }

  Value constant(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }

  KernelOp kernel;
  OpBuilder &builder;
  Location loc;
  kernel::ScheduleAttr schedule;
  int64_t tokens = 0, rows = 0; // of the component being lowered
};

class LowerLinearPass : public halftone::impl::LowerLinearBase<LowerLinearPass> {
public:
  void runOnOperation() override {
    if (failed(lowerKernels<LinearOp>(
            getOperation(), [](KernelOp kernel, OpBuilder &builder) { LinearLowering(kernel, builder).run(); })))
      signalPassFailure();
  }
};

} // namespace
