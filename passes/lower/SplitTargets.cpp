// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Copies the functions for each of several targets.
#include "passes/lower/Passes.h"

using namespace mlir;
using namespace halftone;

namespace halftone {
#define GEN_PASS_DEF_SPLITTARGETS
#include "passes/lower/Passes.h.inc"
} // namespace halftone

namespace {

class SplitTargetsPass : public halftone::impl::SplitTargetsBase<SplitTargetsPass> {
public:
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto all = module->getAttrOfType<ArrayAttr>(kernel::targetsAttrName);
    if (!all)
      return;
    SmallVector<func::FuncOp> functions;
    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isExternal())
        functions.push_back(function);
    for (auto [number, target] : llvm::enumerate(all))
      for (func::FuncOp function : functions)
        copyFor(cast<kernel::TargetAttr>(target), number, function);
    for (func::FuncOp function : functions)
      function->setAttr(kernel::targetAttrName, all[0]);
  }

private:
  /// The functions themselves are the first target's.
  void copyFor(kernel::TargetAttr target, size_t number, func::FuncOp function) {
    if (number == 0)
      return;
    OpBuilder builder = OpBuilder::atBlockEnd(getOperation().getBody());
    auto copy = cast<func::FuncOp>(builder.clone(*function));
    copy.setName(kernel::nameForTarget(function.getName(), number));
    copy->setAttr(kernel::targetAttrName, target);
    copy.walk([&](func::CallOp call) {
      auto callee = getOperation().lookupSymbol<func::FuncOp>(call.getCallee());
      if (callee && !callee.isExternal())
        call.setCallee(kernel::nameForTarget(call.getCallee(), number));
    });
  }
};

} // namespace
