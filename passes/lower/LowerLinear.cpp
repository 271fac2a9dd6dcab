// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Matrix products and the elementwise operations on them, tile by tile of the weight's rows.
#include "passes/lower/BlockDot.h"
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
    const int64_t tokens = shape[0], rows = shape[1], lanes = schedule.getLanes();
    parallelLoop(builder, loc, formats::divideUp(rows, lanes), [&](Value tile) {
      Value column = arith::MulIOp::create(builder, loc, tile, constant(lanes));
      Value mask = rows % lanes == 0 ? Value() : lanesLeft(column, rows);
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

  /// The tile's products with `count` tokens from `first` on.
  void lowerTokens(Component &component, Value tile, Value column, Value mask, Value first, int64_t count) {
    SmallVector<SmallVector<Value>> sums;
    for (LinearOp linear : component.linears)
      sums.push_back(BlockDot(linear, schedule, builder).sums(tile, first, count));
    for (int64_t t = 0; t < count; ++t) {
      RowBuilder values(builder, loc, schedule.getLanes());
      for (auto [linear, sum] : llvm::zip(component.linears, sums))
        values.define(linear.getResult(), [vector = sum[t]](const Place &) { return vector; });
      Value token = arith::AddIOp::create(builder, loc, first, constant(t));
      for (auto [value, out] : component.stores)
        values.store(values.at(value, {token, column, mask}), out, {token, column}, mask);
    }
  }

  Value lanesLeft(Value column, int64_t rows) {
    Value left = arith::SubIOp::create(builder, loc, constant(rows), column);
    auto type = VectorType::get({schedule.getLanes()}, builder.getI1Type());
    return vector::CreateMaskOp::create(builder, loc, type, left).getResult();
  }

  Value constant(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }

  KernelOp kernel;
  OpBuilder &builder;
  Location loc;
  kernel::ScheduleAttr schedule;
};

class LowerLinearPass : public halftone::impl::LowerLinearBase<LowerLinearPass> {
public:
  void runOnOperation() override {
    if (failed(lowerKernels<LinearOp>(getOperation(),
                   [](KernelOp kernel, OpBuilder &builder) { LinearLowering(kernel, builder).run(); })))
      signalPassFailure();
  }
};

} // namespace
