// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Norms give their scales away.
#include "passes/Remarks.h"
#include "passes/prepare/Passes.h"

using namespace mlir;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_FOLDNORMSCALE
#include "passes/prepare/Passes.h.inc"

namespace {

/// Whether `user` can take over a scale: its weight must still be plain, its input no codes.
bool canTakeScale(Operation *user) {
  auto linear = dyn_cast<LinearOp>(user);
  return linear && linear.getWeight().getType().getFormat().getValue().isPlain();
}

/// Folds `norm`'s scale into the linears reading it. Fails, leaving the IR as it was, when some user cannot take it.
LogicalResult foldScale(RmsNormOp norm) {
  for (Operation *user : norm->getUsers())
    if (!canTakeScale(user)) {
      norm.emitRemark("keeps its scale: a user is no linear with a plain weight").attachNote(user->getLoc())
          << "this one";
      return failure();
    }
  for (Operation *user : norm->getUsers()) {
    auto linear = cast<LinearOp>(user);
    OpBuilder builder(linear);
    linear.getWeightMutable().assign(
        ScaleColumnsOp::create(builder, linear.getLoc(), linear.getWeight(), norm.getScale()));
  }
  rewrote(norm.getLoc(), "fold-norm-scale") << "into the linears that read it";
  norm.getScaleMutable().clear();
  return success();
}

class FoldNormScalePass : public impl::FoldNormScaleBase<FoldNormScalePass> {
public:
  using FoldNormScaleBase::FoldNormScaleBase;

  void runOnOperation() override {
    getOperation().walk([](RmsNormOp norm) {
      if (norm.getScale() && !norm.use_empty())
        (void)foldScale(norm);
    });
  }
};

} // namespace
} // namespace halftone
