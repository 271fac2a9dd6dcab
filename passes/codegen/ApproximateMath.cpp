// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Exponentials and error functions of vectors by upstream's polynomial, instead of a library call per lane.
#include "passes/codegen/Passes.h"

#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

using namespace mlir;

namespace halftone {
#define GEN_PASS_DEF_APPROXIMATEMATH
#include "passes/codegen/Passes.h.inc"
} // namespace halftone

namespace {
class ApproximateMathPass : public halftone::impl::ApproximateMathBase<ApproximateMathPass> {
public:
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateMathPolynomialApproximationPatterns(patterns, [](StringRef name) {
      return name == math::ExpOp::getOperationName() || name == math::ErfOp::getOperationName();
    });
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};
} // namespace
