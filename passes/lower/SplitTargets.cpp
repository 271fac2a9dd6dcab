// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Copies the functions for each of several targets.
#include "passes/Remarks.h"
#include "passes/lower/Passes.h"
#include "passes/targets/Target.h"

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
    const FailureOr<SmallVector<kernel::TargetAttr>> targets = targets::targetsOf(module);
    if (failed(targets))
      return signalPassFailure();
    if (!module->hasAttr(kernel::targetsAttrName))
      return;
    SmallVector<func::FuncOp> functions;
    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isExternal())
        functions.push_back(function);
    SymbolTable symbols(module);
    for (size_t number = 1; number < targets->size(); ++number)
      for (func::FuncOp function : functions)
        if (failed(kernel::freeName(symbols, kernel::nameForTarget(function.getName(), number))))
          return signalPassFailure();
    for (size_t number = 1; number < targets->size(); ++number)
      for (func::FuncOp function : functions)
        copyFor((*targets)[number], number, function, symbols);
    for (func::FuncOp function : functions) // the functions themselves are the first target's
      function->setAttr(kernel::targetAttrName, targets->front());
  }

private:
  static void copyFor(kernel::TargetAttr target, size_t number, func::FuncOp function, SymbolTable &symbols) {
    func::FuncOp copy = function.clone();
    copy.setName(kernel::nameForTarget(function.getName(), number));
    symbols.insert(copy);
    copy->setAttr(kernel::targetAttrName, target);
    rewrote(function.getLoc(), "split-targets") << remark::metric("copy", copy.getName());
    copy.walk([&](func::CallOp call) {
      auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
      if (callee && !callee.isExternal())
        call.setCallee(kernel::nameForTarget(call.getCallee(), number));
    });
  }
};

} // namespace
