// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Exponentials and error functions of vectors by upstream's polynomial, instead of a library call per lane.
#include "passes/codegen/Passes.h"
#include "passes/targets/Target.h"

#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

using namespace mlir;
using namespace halftone;

namespace halftone {
#define GEN_PASS_DEF_APPROXIMATEMATH
#include "passes/codegen/Passes.h.inc"
} // namespace halftone

namespace {

/// A fused multiply-add that the processor lacks is one call of the C library per lane, too.
struct SplitFma : OpRewritePattern<math::FmaOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::FmaOp op, PatternRewriter &rewriter) const override {
    Value product = arith::MulFOp::create(rewriter, op.getLoc(), op.getA(), op.getB());
    rewriter.replaceOpWithNewOp<arith::AddFOp>(op, product, op.getC());
    return success();
  }
};

class ApproximateMathPass : public halftone::impl::ApproximateMathBase<ApproximateMathPass> {
public:
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateMathPolynomialApproximationPatterns(patterns, [](StringRef name) {
      return name == math::ExpOp::getOperationName() || name == math::ErfOp::getOperationName();
    });
    walkAndApplyPatterns(getOperation(), std::move(patterns));
    if (targets::canFuse(targets::targetOf(getOperation())))
      return;
    RewritePatternSet split(&getContext());
    split.add<SplitFma>(&getContext());
    walkAndApplyPatterns(getOperation(), std::move(split));
  }
};
} // namespace
