// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A loop of one dot instruction over a register tile, whose operands lie in the first cache.
#include "include/halftone/model.h"
#include "passes/codegen/Passes.h"
#include "passes/targets/Target.h"

#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace halftone;

namespace halftone {
#define GEN_PASS_DEF_ADDPROBES
#include "passes/codegen/Passes.h.inc"
} // namespace halftone

namespace {

/// Places in memory that operands come from in turn, so that no product is the same in each iteration.
constexpr int64_t rounds = 4;

/// Emits the probe of a step like `sample`.
class Probe {
public:
  Probe(kernel::DotStepOp sample, kernel::TargetAttr target)
      : sample(sample), dot(*targets::findDot(sample.getInstruction())), accumulator(sample.getAccumulator().getType()),
        levels(cast<VectorType>(sample.getLevels().front().getType())),
        activations(cast<VectorType>(sample.getActivations().front().getType())),
        tile(targets::chooseRegisterTile(target, accumulator.getNumElements(), 1)), loc(sample.getLoc()),
        builder(sample.getContext()) {}

  /// Multiplications and additions of an iteration.
  int64_t operations() const { return 2 * sums() * dot.vectors * levels.getNumElements(); }

  /// Elements between places: levels tile by tile; activations, which may be wider, overlap them.
  int64_t elements() const { return rounds * step(); }
  int64_t bytes() const {
    const int64_t widest = std::max(levels.getElementTypeBitWidth(), activations.getElementTypeBitWidth());
    return (elements() + tile.tokens * dot.vectors * activations.getNumElements()) * widest / 8;
  }

  func::FuncOp emit(ModuleOp module, StringRef name) {
    builder.setInsertionPointToEnd(module.getBody());
    Type memory = kernel::byteMemory(builder.getContext()), index = builder.getIndexType();
    auto function = func::FuncOp::create(builder, loc, name, builder.getFunctionType({memory, index}, {}));
    builder.setInsertionPointToStart(function.addEntryBlock());
    Value bytes = function.getArgument(0);
    levelMemory = viewOf(bytes, levels.getElementType());
    activationMemory = viewOf(bytes, activations.getElementType());
    Value results = viewOf(bytes, accumulator.getElementType());
    SmallVector<Value> before = {constant(0)}; // the round, then the sums
    for (int64_t i = 0; i < sums(); ++i)
      before.push_back(vector::LoadOp::create(builder, loc, accumulator, results, constant(i)));
    auto loop = scf::ForOp::create(builder, loc, constant(0), function.getArgument(1), constant(1), before);
    {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(loop.getBody());
      scf::YieldOp::create(builder, loc, iteration(loop.getRegionIterArgs()));
    }
    for (int64_t i = 0; i < sums(); ++i)
      vector::StoreOp::create(builder, loc, loop.getResult(i + 1), results, constant(i * accumulator.getNumElements()));
    func::ReturnOp::create(builder, loc);
    return function;
  }

private:
  int64_t sums() const { return tile.tiles * tile.tokens; }
  int64_t step() const { return tile.tiles * dot.vectors * levels.getNumElements(); }
  Value constant(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }

  Value viewOf(Value bytes, Type element) {
    if (element.isInteger(8))
      return bytes;
    return memref::ViewOp::create(builder, loc, kernel::memoryOf(element), bytes, constant(0), ValueRange());
  }

  SmallVector<Value> load(VectorType type, Value memory, Value round, int64_t first) {
    SmallVector<Value> vectors;
    for (int64_t i = 0; i < dot.vectors; ++i) {
      Value place = arith::AddIOp::create(builder, loc, round, constant((first + i) * type.getNumElements()));
      vectors.push_back(vector::LoadOp::create(builder, loc, type, memory, place));
    }
    return vectors;
  }

  SmallVector<Value> iteration(ValueRange before) {
    Value round = before.front();
    SmallVector<SmallVector<Value>> rows, columns;
    for (int64_t t = 0; t < tile.tiles; ++t)
      rows.push_back(load(levels, levelMemory, round, t * dot.vectors));
    for (int64_t t = 0; t < tile.tokens; ++t)
      columns.push_back(load(activations, activationMemory, round, t * dot.vectors));
    Value next = arith::AddIOp::create(builder, loc, round, constant(step()));
    Value isLast = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::uge, next, constant(elements()));
    SmallVector<Value> after = {arith::SelectOp::create(builder, loc, isLast, constant(0), next)};
    for (auto [i, sum] : llvm::enumerate(before.drop_front()))
      after.push_back(kernel::DotStepOp::create(builder, loc, accumulator, sum, rows[i % tile.tiles],
                                                columns[i / tile.tiles], sample.getHighestAttr(),
                                                sample.getInstructionAttr()));
    return after;
  }

  kernel::DotStepOp sample;
  const targets::DotInstruction &dot;
  VectorType accumulator, levels, activations;
  targets::RegisterTile tile;
  Location loc;
  OpBuilder builder;
  Value levelMemory, activationMemory;
};

class AddProbesPass : public halftone::impl::AddProbesBase<AddProbesPass> {
public:
  void runOnOperation() override {
    const FailureOr<SmallVector<kernel::TargetAttr>> targets = targets::targetsOf(getOperation());
    if (failed(targets))
      return signalPassFailure();
    for (auto [number, target] : llvm::enumerate(*targets))
      for (auto [i, sample] : llvm::enumerate(samplesOf(target)))
        if (failed(addProbe(sample, target, kernel::nameForTarget(("halftone_probe_" + Twine(i)).str(), number))))
          return signalPassFailure();
  }

private:
  /// A step of each instruction that the functions of a target have, with the smallest levels.
  SmallVector<kernel::DotStepOp> samplesOf(kernel::TargetAttr target) {
    llvm::MapVector<StringAttr, kernel::DotStepOp> samples;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (targets::targetOf(function) == target)
        function.walk([&](kernel::DotStepOp step) {
          kernel::DotStepOp &sample = samples[step.getInstructionAttr()];
          if (!sample || step.getHighest() < sample.getHighest())
            sample = step;
        });
    return llvm::map_to_vector(samples, [](const auto &entry) { return entry.second; });
  }

  LogicalResult addProbe(kernel::DotStepOp sample, kernel::TargetAttr target, const std::string &name) {
    if (!targets::findDot(sample.getInstruction()))
      return success(); // lower-dot says so
    Probe probe(sample, target);
    if (probe.bytes() > HALFTONE_PROBE_BYTES)
      return sample.emitError("probing it takes ")
             << probe.bytes() << " bytes of operands, more than " << HALFTONE_PROBE_BYTES;
    func::FuncOp function = probe.emit(getOperation(), name);
    Builder builder(&getContext());
    function->setAttr(kernel::targetAttrName, target);
    function->setAttr(kernel::probeAttrName, sample.getInstructionAttr());
    function->setAttr(kernel::probeOperationsAttrName, builder.getI64IntegerAttr(probe.operations()));
    return success();
  }
};

} // namespace
