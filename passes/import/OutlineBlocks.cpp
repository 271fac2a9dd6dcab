// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// outline-blocks: the repeated layers become calls of one function.
#include "passes/Remarks.h"
#include "passes/import/Node.h"
#include "passes/import/Passes.h"
#include "passes/import/RepeatedRun.h"

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
  Outliner(func::FuncOp caller, Run run);

  void outline();

private:
  func::FuncOp makeBlock();
  void fillBody(Block *body);
  Value operandOf(const OperandSource &source, Value original, Block *body, ArrayRef<Operation *> made);
  void callRepetition(size_t repetition, func::FuncOp block);

  func::FuncOp caller;
  Run run;
  OpBuilder builder;
  SmallVector<size_t> order;  ///< numbers of what comes from outside, as arguments
  SmallVector<Place> results; ///< what the block gives, in order
  SmallVector<Value> current; ///< the carried values before the next repetition
};

} // namespace

/// The length of the past comes before weights and caches.
Outliner::Outliner(func::FuncOp caller, Run run)
    : caller(caller), run(std::move(run)), builder(caller.getContext()), results(this->run.carried) {
  for (bool isSize : {true, false})
    for (auto [i, values] : llvm::enumerate(this->run.outside))
      if (values[0].getType().isIndex() == isSize)
        order.push_back(i);
  llvm::append_range(results, this->run.leftBehind);
  llvm::sort(results);
}

static Value valueAt(ArrayRef<Operation *> sequence, Place place) {
  return sequence[place.op]->getResult(place.result);
}

Value Outliner::operandOf(const OperandSource &source, Value original, Block *body, ArrayRef<Operation *> made) {
  switch (source.kind) {
  case OperandSource::Kind::Same:
    return valueAt(made, source.place);
  case OperandSource::Kind::Carried:
    return body->getArgument(llvm::find(run.carried, source.place) - run.carried.begin());
  case OperandSource::Kind::Outside:
    return body->getArgument(run.carried.size() + (llvm::find(order, source.index) - order.begin()));
  case OperandSource::Kind::Constant:
    break;
  }
  Operation *constant = original.getDefiningOp();
  for (Operation &op : *body)
    if (op.getName() == constant->getName() && op.getAttrDictionary() == constant->getAttrDictionary())
      return op.getResult(0);
  return builder.clone(*constant)->getResult(0);
}

/// Copies the first repetition with arguments for what comes from outside.
void Outliner::fillBody(Block *body) {
  builder.setInsertionPointToEnd(body);
  SmallVector<Operation *> made;
  for (auto [op, sources] : llvm::zip(run.repetitions[0], run.sources)) {
    SmallVector<Value> operands;
    for (auto [source, original] : llvm::zip(sources, op->getOperands()))
      operands.push_back(operandOf(source, original, body, made));
    made.push_back(builder.clone(*op));
    made.back()->setOperands(operands);
  }
  SmallVector<Value> returned;
  for (Place place : results)
    returned.push_back(valueAt(made, place));
  func::ReturnOp::create(builder, caller.getLoc(), returned);
}

func::FuncOp Outliner::makeBlock() {
  SmallVector<Type> inputs, outputs;
  for (Value value : run.initial)
    inputs.push_back(value.getType());
  for (size_t number : order)
    inputs.push_back(run.outside[number][0].getType());
  for (Place place : results)
    outputs.push_back(valueAt(run.repetitions[0], place).getType());
  std::string name = "block";
  auto module = caller->getParentOfType<ModuleOp>();
  for (unsigned i = 1; module.lookupSymbol(name); ++i)
    name = "block." + std::to_string(i);
  builder.setInsertionPoint(caller);
  auto block = func::FuncOp::create(builder, caller.getLoc(), name, builder.getFunctionType(inputs, outputs));
  block.setPrivate();
  fillBody(block.addEntryBlock());
  return block;
}

void Outliner::callRepetition(size_t repetition, func::FuncOp block) {
  ArrayRef<Operation *> sequence = run.repetitions[repetition];
  builder.setInsertionPointAfter(sequence.back());
  SmallVector<Value> inputs(current);
  for (size_t number : order)
    inputs.push_back(run.outside[number][repetition]);
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
  rewrote(block.getLoc(), "outline-blocks") << remark::metric("repetitions", run.repetitions.size())
                                            << remark::metric("operations", run.repetitions[0].size());
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
