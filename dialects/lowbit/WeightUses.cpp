// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Following weights through calls.
#include "dialects/lowbit/WeightUses.h"

using namespace mlir;
using namespace halftone::lowbit;

void halftone::lowbit::forEachUse(Value handle, function_ref<void(OpOperand &)> visit) {
  auto uses = llvm::map_to_vector(handle.getUses(), [](OpOperand &use) { return &use; });
  for (OpOperand *use : llvm::reverse(uses)) { // the newest use is the first of the list
    visit(*use);
    if (auto call = dyn_cast<func::CallOp>(use->getOwner()))
      if (auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(call, call.getCalleeAttr()))
        if (!callee.isExternal())
          forEachUse(callee.getArgument(use->getOperandNumber()), visit);
  }
}

void halftone::lowbit::forEachUse(ModuleOp module, StringRef name, function_ref<void(OpOperand &)> visit) {
  module.walk([&](GetOp get) {
    if (get.getName() == name)
      forEachUse(get.getHandle(), visit);
  });
}

bool halftone::lowbit::isDerivation(Operation *op) { return isa<ScaleColumnsOp, SliceRowsOp, WidenOp>(op); }

bool halftone::lowbit::isDecoded(WeightOp weight) {
  bool result = false;
  forEachUse(weight->getParentOfType<ModuleOp>(), weight.getSymName(), [&](OpOperand &use) {
    if (auto linear = dyn_cast<LinearOp>(use.getOwner()))
      result |= use.get() == linear.getWeight();
    else
      result |= isa<EmbeddingOp>(use.getOwner());
  });
  return result;
}
