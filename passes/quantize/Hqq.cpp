// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Round to nearest on fitted grids, weight by weight.
#include "lib/quantize/Hqq.h"
#include "passes/quantize/CalibratedWeights.h"

using namespace mlir;

namespace halftone {
#define GEN_PASS_DEF_HQQ
#include "passes/quantize/Passes.h.inc"

namespace {

class HqqPass : public impl::HqqBase<HqqPass> {
public:
  using HqqBase::HqqBase;
  HqqPass(const HqqOptions &options, const CalibrationRun &calibration) : HqqBase(options), calibration(calibration) {}

  void runOnOperation() override {
    const auto act = [&](const formats::Format &format, matrix::MatrixView<float> weights,
                         const quantize::WeightInputs &) -> Expected<quantize::GptqResult> {
      return quantize::hqq(format, weights, {}, quantize::threadsOf(&getContext()));
    };
    if (failed(quantize::quantizeCalibrated(getOperation(), getArgument(), work, calibration, act)))
      signalPassFailure();
  }

private:
  CalibrationRun calibration;
};

} // namespace

std::unique_ptr<Pass> createHqq(const HqqOptions &options, const CalibrationRun &run) {
  return std::make_unique<HqqPass>(options, run);
}
} // namespace halftone
