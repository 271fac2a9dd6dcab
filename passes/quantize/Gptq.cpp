// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// GPTQ, weight by weight; those that see the same inputs share a factor.
#include "lib/quantize/Gptq.h"
#include "lib/quantize/Retarget.h"
#include "passes/quantize/CalibratedWeights.h"

using namespace mlir;

namespace halftone {
#define GEN_PASS_DEF_GPTQ
#include "passes/quantize/Passes.h.inc"

namespace {

class GptqPass : public impl::GptqBase<GptqPass> {
public:
  using GptqBase::GptqBase;
  GptqPass(const GptqOptions &options, const CalibrationRun &calibration)
      : GptqBase(options), calibration(calibration) {}

  void runOnOperation() override {
    if (actOrder && blockOrder) {
      getOperation().emitError("act-order and block-order are two orders: choose one");
      return signalPassFailure();
    }
    const auto act = [&](const formats::Format &format, matrix::MatrixView<float> weights,
                         const quantize::WeightInputs &inputs) -> Expected<quantize::GptqResult> {
      if (Status made = factorize(format, inputs.statistics); !made)
        return made.error();
      if (inputs.drift)
        retarget(weights, *inputs.drift);
      return quantize::gptq(format, weights, *factor, methodOptions(), quantize::threadsOf(&getContext()));
    };
    if (failed(
            quantize::quantizeCalibrated(getOperation(), getArgument(), work, calibration, act, asymmetricCalibration)))
      signalPassFailure();
    factor.reset();
    factored.reset();
  }

private:
  /// Makes the factor of `statistics`, unless it is the last one's.
  Status factorize(const formats::Format &format, const std::shared_ptr<calibrate::Statistics> &statistics) {
    if (statistics == factored && format.block == factoredBlock)
      return {};
    if (statistics->hessian.empty())
      return Error{"no Hessian was gathered"};
    quantize::HessianOptions options;
    options.damp = damp;
    options.order = blockOrder ? quantize::ColumnOrder::FallingBlocks
                    : actOrder ? quantize::ColumnOrder::Falling
                               : quantize::ColumnOrder::LeftToRight;
    options.block = format.block;
    const matrix::MatrixView<double> hessian(statistics->hessian.data(), statistics->columns, statistics->columns);
    Expected<quantize::HessianFactor> made =
        quantize::HessianFactor::compute(hessian, options, quantize::threadsOf(&getContext()));
    if (!made)
      return made.error();
    factor.emplace(std::move(*made));
    factored = statistics;
    factoredBlock = format.block;
    return {};
  }

  void retarget(matrix::MatrixView<float> weights, const calibrate::Drift &drift) {
    const matrix::MatrixView<const double> input(drift.input.data(), drift.columns, drift.columns);
    const matrix::MatrixView<const double> residual(drift.residual.data(), drift.outputs, drift.columns);
    quantize::retarget(weights, input, residual, *factor, quantize::threadsOf(&getContext()));
  }

  quantize::GptqOptions methodOptions() const {
    quantize::GptqOptions options;
    options.staticGrids = staticGroups;
    if (gridSearch)
      options.search.emplace();
    return options;
  }

  CalibrationRun calibration;
  std::optional<quantize::HessianFactor> factor;
  std::shared_ptr<calibrate::Statistics> factored;
  int64_t factoredBlock = 0;
};

} // namespace

std::unique_ptr<Pass> createGptq(const GptqOptions &options, const CalibrationRun &run) {
  return std::make_unique<GptqPass>(options, run);
}
} // namespace halftone
