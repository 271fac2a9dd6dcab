// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// drop-unused: names without a use.
#include "passes/import/Passes.h"

namespace halftone {
#define GEN_PASS_DEF_DROPUNUSED
#include "passes/import/Passes.h.inc"
} // namespace halftone

using namespace mlir;
using namespace halftone;

namespace {
struct DropUnusedPass : halftone::impl::DropUnusedBase<DropUnusedPass> {
  void runOnOperation() override {
    llvm::DenseSet<Attribute> used;
    getOperation().walk([&](lowbit::GetOp get) { used.insert(get.getNameAttr().getAttr()); });
    for (Operation &op : llvm::make_early_inc_range(*getOperation().getBody()))
      if (isa<lowbit::WeightOp, lowbit::CacheOp>(op) && !used.contains(SymbolTable::getSymbolName(&op)))
        op.erase();
  }
};
} // namespace
