// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Following weights through calls.
#include "dialects/lowbit/WeightUses.h"

using namespace mlir;
using namespace halftone::lowbit;

/// Collects the uses of `handle`, looking callees up in `symbols`.
static void follow(Value handle, SymbolTable &symbols, function_ref<void(OpOperand &)> visit) {
  auto uses = llvm::map_to_vector(handle.getUses(), [](OpOperand &use) { return &use; });
  for (OpOperand *use : llvm::reverse(uses)) { // the newest use is the first of the list
    visit(*use);
    if (auto call = dyn_cast<func::CallOp>(use->getOwner()))
      if (auto callee = symbols.lookup<func::FuncOp>(call.getCallee()); callee && !callee.isExternal())
        follow(callee.getArgument(use->getOperandNumber()), symbols, visit);
  }
}

void halftone::lowbit::forEachUse(Value handle, function_ref<void(OpOperand &)> visit) {
  SymbolTable symbols(handle.getParentRegion()->getParentOfType<ModuleOp>());
  follow(handle, symbols, visit);
}

bool halftone::lowbit::isDerivation(Operation *op) {
  return isa<RotateColumnsOp, RotateRowsOp, ScaleColumnsOp, ScaleRowsOp, SliceRowsOp, WidenOp>(op);
}

WeightUses::WeightUses(ModuleOp module) {
  SymbolTable symbols(module);
  module.walk([&](GetOp get) {
    SmallVector<OpOperand *> &found = uses[get.getNameAttr().getAttr()];
    follow(get.getHandle(), symbols, [&](OpOperand &use) { found.push_back(&use); });
  });
}

ArrayRef<OpOperand *> WeightUses::of(WeightOp weight) const { return of(weight.getSymNameAttr()); }

ArrayRef<OpOperand *> WeightUses::of(StringAttr name) const {
  auto found = uses.find(name);
  return found == uses.end() ? ArrayRef<OpOperand *>() : found->second;
}

bool WeightUses::isDecoded(WeightOp weight) const {
  return llvm::any_of(of(weight), [](OpOperand *use) {
    if (auto linear = dyn_cast<LinearOp>(use->getOwner()))
      return use->get() == linear.getWeight();
    return isa<EmbeddingOp>(use->getOwner());
  });
}
