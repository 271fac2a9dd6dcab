// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One derivation, one level of calls at a time.
#include "passes/quantize/HoistDerivations.h"

#include "dialects/lowbit/WeightUses.h"

using namespace mlir;
using namespace halftone::lowbit;

/// A derivation that reads an argument of its function, or null.
static Operation *findDerivationOfArgument(ModuleOp module) {
  Operation *found = nullptr;
  module.walk([&](Operation *op) {
    if (!isDerivation(op) || llvm::none_of(op->getOperands(), llvm::IsaPred<BlockArgument>))
      return WalkResult::advance();
    found = op;
    return WalkResult::interrupt();
  });
  return found;
}

/// The calls of `function`; fails when there are none, or when it calls itself.
static FailureOr<SmallVector<func::CallOp>> callsOf(func::FuncOp function, Operation *op) {
  SmallVector<func::CallOp> calls;
  auto uses = SymbolTable::getSymbolUses(function, function->getParentOp());
  for (const SymbolTable::SymbolUse &use : *uses)
    if (auto call = dyn_cast<func::CallOp>(use.getUser()))
      calls.push_back(call);
  if (calls.empty())
    return op->emitOpError("derives a weight from an argument of '") << function.getName() << "', which nothing calls";
  if (llvm::any_of(calls, [&](func::CallOp call) { return function->isAncestor(call); }))
    return op->emitOpError("derives a weight from an argument of '") << function.getName() << "', which calls itself";
  return calls;
}

/// `handle` of the callee as `call` gives it: its operand, or a copy of the operations that make the handle.
static Value lift(Value handle, func::CallOp call, OpBuilder &builder) {
  if (auto argument = dyn_cast<BlockArgument>(handle))
    return call.getOperand(argument.getArgNumber());
  IRMapping mapping;
  for (Value operand : handle.getDefiningOp()->getOperands())
    mapping.map(operand, lift(operand, call, builder));
  return builder.clone(*handle.getDefiningOp(), mapping)->getResult(0);
}

/// The argument of `function` that now brings the derived weight; `derived[i]` is what `calls[i]` gives for it.
static BlockArgument passDerived(Operation *op, func::FuncOp function, MutableArrayRef<func::CallOp> calls,
                                 ArrayRef<Value> derived) {
  auto matrix = dyn_cast<BlockArgument>(op->getOperand(0));
  if (matrix && matrix.hasOneUse()) {
    for (auto [call, value] : llvm::zip_equal(calls, derived))
      call->setOperand(matrix.getArgNumber(), value);
    return matrix;
  }
  const unsigned last = function.getNumArguments();
  (void)function.insertArgument(last, op->getResult(0).getType(), {}, op->getLoc());
  for (auto [call, value] : llvm::zip_equal(calls, derived))
    call->insertOperands(last, value);
  return function.getArgument(last);
}

static void eraseArgumentIfUnused(func::FuncOp function, Value handle, ArrayRef<func::CallOp> calls) {
  auto argument = dyn_cast<BlockArgument>(handle);
  if (!argument || !argument.use_empty())
    return;
  const unsigned number = argument.getArgNumber();
  (void)function.eraseArgument(number);
  for (func::CallOp call : calls)
    call->eraseOperand(number);
}

static LogicalResult hoist(Operation *op) {
  auto function = op->getParentOfType<func::FuncOp>();
  FailureOr<SmallVector<func::CallOp>> calls = callsOf(function, op);
  if (failed(calls))
    return failure();
  SmallVector<Value> derived;
  for (func::CallOp call : *calls) {
    OpBuilder builder(call);
    derived.push_back(lift(op->getResult(0), call, builder));
  }
  BlockArgument place = passDerived(op, function, *calls, derived);
  SmallVector<Value> sources(op->getOperands());
  op->getResult(0).replaceAllUsesWith(place);
  op->erase();
  for (Value source : sources)
    if (source != place)
      eraseArgumentIfUnused(function, source, *calls);
  place.setType(derived.front().getType());
  function.setType(
      FunctionType::get(function.getContext(), function.getBody().getArgumentTypes(), function.getResultTypes()));
  return success();
}

LogicalResult halftone::quantize::hoistDerivations(ModuleOp module) {
  while (Operation *op = findDerivationOfArgument(module))
    if (failed(hoist(op)))
      return failure();
  return success();
}
