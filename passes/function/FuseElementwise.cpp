// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// fuse-elementwise: upstream's patterns, where they compute nothing twice.
#include "passes/function/Passes.h"

#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace halftone {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "passes/function/Passes.h.inc"
} // namespace halftone

using namespace mlir;

/// Whether the operand's elements have no other reader, and are read once each.
static bool isReadOnce(OpOperand *operand) {
  auto reader = dyn_cast<linalg::LinalgOp>(operand->getOwner());
  return reader && operand->get().hasOneUse() && reader.getMatchingIndexingMap(operand).isPermutation();
}

namespace {
struct FuseElementwisePass : halftone::impl::FuseElementwiseBase<FuseElementwisePass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    linalg::populateElementwiseOpsFusionPatterns(patterns, isReadOnce);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
