// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The model's function becomes a chain of calls.
#include "passes/calibrate/Entry.h"
#include "passes/calibrate/Passes.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_OUTLINESEGMENTS
#include "passes/calibrate/Passes.h.inc"

namespace {

/// Consecutive operations that become one function.
using Segment = SmallVector<Operation *>;

/// What stays in the caller: names of weights, and constants, which are cloned where they are needed.
bool staysOutside(Operation *op) { return isa<GetOp>(op) || op->hasTrait<OpTrait::ConstantLike>(); }

/// The operations between calls.
SmallVector<Segment> segmentsOf(Block &body) {
  SmallVector<Segment> segments(1);
  for (Operation &op : body.without_terminator())
    if (isa<func::CallOp>(op))
      segments.emplace_back();
    else if (!staysOutside(&op))
      segments.back().push_back(&op);
  llvm::erase_if(segments, [](const Segment &segment) { return segment.empty(); });
  return segments;
}

/// Moves `segment` into a function called `name` and calls that instead, before `segment`'s last operation's successor.
void outline(const Segment &segment, StringRef name, SymbolTable &symbols) {
  const llvm::SmallPtrSet<Operation *, 32> inside(segment.begin(), segment.end());
  llvm::SetVector<Value> read, given;
  SmallVector<Operation *> constants;
  for (Operation *op : segment) {
    for (Value operand : op->getOperands())
      if (matchPattern(operand, m_Constant()))
        constants.push_back(operand.getDefiningOp());
      else if (!inside.contains(operand.getDefiningOp()))
        read.insert(operand);
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) { return !inside.contains(user); }))
        given.insert(result);
  }
  Operation *last = segment.back();
  OpBuilder outside(last->getNextNode());
  const auto type = outside.getFunctionType(TypeRange(read.getArrayRef()), TypeRange(given.getArrayRef()));
  auto function = func::FuncOp::create(last->getLoc(), name, type);
  function.setPrivate();
  symbols.insert(function);
  IRMapping mapping;
  mapping.map(read.getArrayRef(), function.addEntryBlock()->getArguments());
  OpBuilder body = OpBuilder::atBlockEnd(&function.getBody().front());
  for (Operation *constant : constants)
    if (!mapping.contains(constant->getResult(0)))
      body.clone(*constant, mapping);
  for (Operation *op : segment)
    body.clone(*op, mapping);
  SmallVector<Value> results = llvm::map_to_vector(given, [&](Value value) { return mapping.lookup(value); });
  func::ReturnOp::create(body, last->getLoc(), results);
  auto call = func::CallOp::create(outside, last->getLoc(), function, read.getArrayRef());
  for (auto [value, result] : llvm::zip(given.takeVector(), call.getResults()))
    value.replaceAllUsesWith(result);
  for (Operation *op : llvm::reverse(segment))
    op->erase();
}

class OutlineSegmentsPass : public impl::OutlineSegmentsBase<OutlineSegmentsPass> {
public:
  void runOnOperation() override {
    FailureOr<func::FuncOp> entry = calibrate::entryOf(getOperation());
    if (failed(entry))
      return signalPassFailure();
    SymbolTable symbols(getOperation());
    for (auto [i, segment] : llvm::enumerate(segmentsOf(entry->getBody().front())))
      outline(segment, (entry->getName() + "." + Twine(i)).str(), symbols);
  }
};

} // namespace
} // namespace halftone
