// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Round to nearest on searched grids, weight by weight.
#include "lib/quantize/Imatrix.h"
#include "passes/quantize/CalibratedWeights.h"

using namespace mlir;

namespace halftone {
#define GEN_PASS_DEF_IMATRIX
#include "passes/quantize/Passes.h.inc"

namespace {

class ImatrixPass : public impl::ImatrixBase<ImatrixPass> {
public:
  using ImatrixBase::ImatrixBase;
  ImatrixPass(const ImatrixOptions &options, const CalibrationRun &calibration)
      : ImatrixBase(options), calibration(calibration) {}

  void runOnOperation() override {
    const quantize::GridSearchOptions search{.sizes = sizes, .smallest = smallest, .refits = refits};
    const auto act = [&](const formats::Format &format, matrix::MatrixView<float> weights,
                         const quantize::WeightInputs &inputs) -> Expected<quantize::GptqResult> {
      if (inputs.statistics->meanSquare.empty())
        return Error{"no magnitudes were gathered"};
      return quantize::imatrix(format, weights, inputs.statistics->meanSquare, search,
                               quantize::threadsOf(&getContext()));
    };
    if (failed(quantize::quantizeCalibrated(getOperation(), getArgument(), work, calibration, act)))
      signalPassFailure();
  }

private:
  CalibrationRun calibration;
};

} // namespace

std::unique_ptr<Pass> createImatrix(const ImatrixOptions &options, const CalibrationRun &run) {
  return std::make_unique<ImatrixPass>(options, run);
}
} // namespace halftone
