// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Finding the function that is the model.
#include "passes/calibrate/Entry.h"

using namespace mlir;
using namespace halftone;

FailureOr<func::FuncOp> calibrate::entryOf(ModuleOp module) {
  if (auto forward = module.lookupSymbol<func::FuncOp>("forward"); forward && !forward.isExternal())
    return forward;
  SmallVector<func::FuncOp> roots;
  for (auto function : module.getOps<func::FuncOp>())
    if (!function.isExternal() && SymbolTable::symbolKnownUseEmpty(function, module))
      roots.push_back(function);
  if (roots.size() == 1)
    return roots.front();
  return module.emitError("no function is called 'forward', and ") << roots.size() << " are called by no other";
}
