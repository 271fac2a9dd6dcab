// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which weight the model's divergence comes from: each is put back to see.
#include "dialects/lowbit/WeightOrder.h"
#include "passes/Remarks.h"
#include "passes/quantize/Passes.h"
#include "passes/quantize/Runner.h"

using namespace mlir;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_ATTRIBUTEDIVERGENCE
#include "passes/quantize/Passes.h.inc"

namespace {

class AttributeDivergencePass : public impl::AttributeDivergenceBase<AttributeDivergencePass> {
public:
  using AttributeDivergenceBase::AttributeDivergenceBase;
  AttributeDivergencePass(const AttributeDivergenceOptions &options, const CalibrationRun &calibration)
      : AttributeDivergenceBase(options), calibration(calibration) {}

  void runOnOperation() override {
    quantize::runOn(data, data, calibration);
    if (Status done = run(); !done) {
      getOperation().emitError() << getArgument() << ": " << done.error().message;
      signalPassFailure();
    }
  }

private:
  Status run() {
    auto divergence = calibration.makeDivergence(getOperation(), tokens);
    if (!divergence)
      return divergence.error();
    Expected<double> all = (*divergence)->ofModel();
    if (!all)
      return all.error();
    Builder builder(&getContext());
    getOperation()->setAttr(divergenceAttrName, builder.getF64FloatAttr(*all));
    const SmallVector<WeightOp> weights = linearWeightsInOrder(getOperation());
    uint64_t done = 0;
    for (WeightOp weight : weights) {
      Expected<double> without = (*divergence)->withOriginal(weight.getSymName().str());
      if (!without)
        return Error{"weight '" + weight.getSymName().str() + "': " + without.error().message};
      weight->setAttr("divergence", builder.getF64FloatAttr(*all - *without));
      rewrote(weight.getLoc(), getArgument())
          << remark::metric("weight", weight.getSymName()) << remark::metric("divergence", *all - *without);
      if (calibration.progress)
        calibration.progress(++done, weights.size(), ("divergence by " + weight.getSymName()).str());
    }
    return {};
  }

  CalibrationRun calibration;
};

} // namespace

std::unique_ptr<Pass> createAttributeDivergence(const AttributeDivergenceOptions &options, const CalibrationRun &run) {
  return std::make_unique<AttributeDivergencePass>(options, run);
}
} // namespace halftone
