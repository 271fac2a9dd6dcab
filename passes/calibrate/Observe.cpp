// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where to look while the model runs, and ceasing to look.
#include "dialects/lowbit/OriginalWeight.h"
#include "passes/Remarks.h"
#include "passes/calibrate/Passes.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_OBSERVE
#define GEN_PASS_DEF_DROPOBSERVATIONS
#include "passes/calibrate/Passes.h.inc"

namespace {

class ObservePass : public impl::ObserveBase<ObservePass> {
public:
  using ObserveBase::ObserveBase;

  void runOnOperation() override {
    llvm::SetVector<Value> inputs;
    auto collected = getOperation()->walk([&](LinearOp linear) -> WalkResult {
      if (isa<ActivationType>(linear.getInput().getType()))
        return linear.emitOpError("its activations are contracted already: observe them before");
      inputs.insert(linear.getInput());
      return WalkResult::advance();
    });
    if (collected.wasInterrupted())
      return signalPassFailure();
    for (Value input : inputs)
      if (llvm::none_of(input.getUsers(), llvm::IsaPred<ObserveOp>) && failed(observe(input)))
        return signalPassFailure();
  }

private:
  LogicalResult observe(Value input) {
    OpBuilder builder(&getContext());
    builder.setInsertionPointAfterValue(input);
    SmallVector<StringRef> what(gather.begin(), gather.end());
    if (what.empty())
      llvm::append_range(what, observable());
    auto op = ObserveOp::create(builder, input.getLoc(), input, builder.getStrArrayAttr(what));
    rewrote(input.getLoc(), "observe") << remark::metric("channels", cast<ShapedType>(input.getType()).getDimSize(1));
    return op.verify();
  }
};

class DropObservationsPass : public impl::DropObservationsBase<DropObservationsPass> {
public:
  void runOnOperation() override {
    getOperation()->walk([](ObserveOp op) { op.erase(); });
    getOperation()->walk([](WeightOp weight) { forgetOriginal(weight); });
  }
};

} // namespace
} // namespace halftone
