// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// count-parameters: what the model was trained with, before later stages derive and copy.
#include "dialects/lowbit/Facts.h"
#include "dialects/lowbit/WeightUses.h"
#include "passes/import/Passes.h"

namespace halftone {
#define GEN_PASS_DEF_COUNTPARAMETERS
#include "passes/import/Passes.h.inc"
} // namespace halftone

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

/// Tables of angles are computed, not trained.
static bool isTrained(ArrayRef<OpOperand *> uses) {
  return llvm::any_of(uses, [](OpOperand *use) { return !isa<RopeOp, func::CallOp>(use->getOwner()); });
}

namespace {
struct CountParametersPass : halftone::impl::CountParametersBase<CountParametersPass> {
  void runOnOperation() override {
    const WeightUses uses(getOperation());
    int64_t total = 0;
    for (WeightOp weight : getOperation().getOps<WeightOp>())
      if (isTrained(uses.of(weight)))
        total += llvm::product_of(cast<WeightType>(weight.getType()).getShape());
    facts::record(getOperation(), facts::parameters, total);
  }
};
} // namespace
