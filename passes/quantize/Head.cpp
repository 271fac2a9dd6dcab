// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Going back from the logits.
#include "passes/quantize/Head.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

/// Whether `value` is what a head could make: neither a constant nor a result of elementwise operations.
static bool isOrigin(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || isa<func::CallOp>(op))
    return true;
  return isa_and_nonnull<LowbitDialect>(op->getDialect()) && !op->hasTrait<OpTrait::Elementwise>();
}

/// The values that `value` is made of by elementwise operations; constants are none.
static llvm::SetVector<Value> originsOf(Value value) {
  llvm::SetVector<Value> made(llvm::from_range, ArrayRef(value)), origins;
  for (size_t i = 0; i < made.size(); ++i) { // grows while it is read: graphs may be deeper than the stack
    const Value current = made[i];
    if (isOrigin(current))
      origins.insert(current);
    else
      for (Value operand : current.getDefiningOp()->getOperands())
        if (isa<TensorType>(operand.getType()))
          made.insert(operand);
  }
  return origins;
}

/// What result `index` of `function` is made of alone, or null.
static Value soleOrigin(func::FuncOp function, unsigned index) {
  if (function.isExternal())
    return {};
  llvm::SetVector<Value> origins = originsOf(function.getBody().back().getTerminator()->getOperand(index));
  return origins.size() == 1 ? origins.front() : Value();
}

static func::FuncOp calleeOf(func::CallOp call) {
  return SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(call, call.getCalleeAttr());
}

/// The linear that alone makes result `index` of `function`, or null.
static LinearOp findHead(func::FuncOp function, unsigned index) {
  Value origin = soleOrigin(function, index);
  if (!origin)
    return {};
  if (auto call = origin.getDefiningOp<func::CallOp>())
    return findHead(calleeOf(call), cast<OpResult>(origin).getResultNumber());
  return origin.getDefiningOp<LinearOp>();
}

/// Makes `call` the only one of its callee.
static func::FuncOp makePrivate(func::CallOp call, SymbolTable &symbols) {
  func::FuncOp callee = calleeOf(call);
  auto uses = SymbolTable::getSymbolUses(callee, symbols.getOp());
  if (uses && llvm::hasSingleElement(*uses))
    return callee;
  func::FuncOp clone = callee.clone();
  symbols.insert(clone, std::next(Block::iterator(callee)));
  call.setCallee(clone.getName());
  return clone;
}

/// As findHead, of a function that has one caller, giving the callee of each call on the way one caller too.
static LinearOp isolateHead(func::FuncOp function, unsigned index, SymbolTable &symbols) {
  Value origin = soleOrigin(function, index);
  if (auto call = origin.getDefiningOp<func::CallOp>())
    return isolateHead(makePrivate(call, symbols), cast<OpResult>(origin).getResultNumber(), symbols);
  return origin.getDefiningOp<LinearOp>();
}

SmallVector<LinearOp> halftone::quantize::isolateHeads(ModuleOp module) {
  SmallVector<LinearOp> heads;
  SymbolTable symbols(module);
  auto forward = symbols.lookup<func::FuncOp>("forward");
  if (!forward)
    return heads;
  for (unsigned i = 0; i < forward.getNumResults(); ++i)
    if (findHead(forward, i))
      heads.push_back(isolateHead(forward, i, symbols));
  return heads;
}
