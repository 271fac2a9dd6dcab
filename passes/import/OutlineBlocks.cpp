// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// outline-blocks: the repeated layers become calls of one function.
#include "passes/import/Node.h"
#include "passes/import/Passes.h"
#include "passes/import/RepeatedRun.h"

#include "mlir/IR/IRMapping.h"

namespace halftone {
#define GEN_PASS_DEF_OUTLINEBLOCKS
#include "passes/import/Passes.h.inc"
} // namespace halftone

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

namespace {

class Outliner {
public:
  Outliner(func::FuncOp caller, Run run)
      : caller(caller), run(std::move(run)), builder(caller.getContext()), results(this->run.carried) {
    llvm::append_range(results, this->run.leftBehind);
    llvm::sort(results);
    sizesFirst();
  }

  void outline();

private:
  void sizesFirst();
  func::FuncOp makeBlock();
  void callRepetition(size_t repetition, func::FuncOp block);

  func::FuncOp caller;
  Run run;
  OpBuilder builder;
  SmallVector<Place> results; ///< what the block gives, in order
  SmallVector<Value> current; ///< the carried values before the next repetition
};

} // namespace

/// The length of the past comes before weights and caches.
void Outliner::sizesFirst() {
  std::vector<SmallVector<Value>> sorted;
  for (bool wanted : {true, false})
    llvm::copy_if(run.outside, std::back_inserter(sorted),
                  [&](ArrayRef<Value> values) { return values[0].getType().isIndex() == wanted; });
  run.outside = std::move(sorted);
}

static Value valueAt(ArrayRef<Operation *> sequence, Place place) {
  return sequence[place.op]->getResult(place.result);
}

/// The body is the second repetition, where carried values cannot be taken for others, with arguments for what comes
/// from outside; constants are copied.
func::FuncOp Outliner::makeBlock() {
  ArrayRef<Operation *> model = run.repetitions[1];
  SmallVector<Value> inputs;
  for (Place place : run.carried)
    inputs.push_back(valueAt(run.repetitions[0], place));
  for (ArrayRef<Value> values : run.outside)
    inputs.push_back(values[1]);
  SmallVector<Type> outputs;
  for (Place place : results)
    outputs.push_back(valueAt(model, place).getType());
  builder.setInsertionPoint(caller);
  std::string name = "block";
  auto module = caller->getParentOfType<ModuleOp>();
  for (unsigned i = 1; module.lookupSymbol(name); ++i)
    name = "block." + std::to_string(i);
  auto block = func::FuncOp::create(builder, caller.getLoc(), name,
                                    builder.getFunctionType(ValueRange(inputs).getTypes(), outputs));
  block.setPrivate();
  Block *body = block.addEntryBlock();
  builder.setInsertionPointToEnd(body);
  IRMapping mapping;
  mapping.map(inputs, body->getArguments());
  for (Operation *op : model) {
    for (Value operand : op->getOperands())
      if (Operation *maker = operand.getDefiningOp(); maker && !mapping.contains(operand) && isLeaf(maker))
        builder.clone(*maker, mapping);
    builder.clone(*op, mapping);
  }
  SmallVector<Value> returned;
  for (Place place : results)
    returned.push_back(mapping.lookup(valueAt(model, place)));
  func::ReturnOp::create(builder, caller.getLoc(), returned);
  return block;
}

void Outliner::callRepetition(size_t repetition, func::FuncOp block) {
  ArrayRef<Operation *> sequence = run.repetitions[repetition];
  builder.setInsertionPointAfter(sequence.back());
  SmallVector<Value> inputs(current);
  for (ArrayRef<Value> values : run.outside)
    inputs.push_back(values[repetition]);
  auto call = func::CallOp::create(builder, sequence.back()->getLoc(), block, inputs);
  for (auto [place, result] : llvm::zip(results, call.getResults())) {
    Value value = valueAt(sequence, place);
    if (repetition + 1 == run.repetitions.size())
      value.replaceAllUsesWith(result);
  }
  for (auto [place, value] : llvm::zip(run.carried, current))
    value = call.getResult(llvm::find(results, place) - results.begin());
}

void Outliner::outline() {
  func::FuncOp block = makeBlock();
  current = run.initial;
  for (size_t i = 0; i < run.repetitions.size(); ++i)
    callRepetition(i, block);
  for (ArrayRef<Operation *> sequence : llvm::reverse(run.repetitions))
    for (Operation *op : llvm::reverse(sequence))
      op->erase();
}

namespace {
struct OutlineBlocksPass : halftone::impl::OutlineBlocksBase<OutlineBlocksPass> {
  void runOnOperation() override {
    auto forward = getOperation().lookupSymbol<func::FuncOp>("forward");
    if (!forward || forward.isExternal())
      return;
    orderByDataflow(forward);
    if (auto run = findRun(forward))
      Outliner(forward, std::move(*run)).outline();
    eraseDead(forward);
  }
};
} // namespace
