// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// SmoothQuant: factors from the bounds of inputs and weights alone.
#include "dialects/lowbit/StoredWeights.h"
#include "dialects/lowbit/StreamRows.h"
#include "lib/quantize/ColumnScale.h"
#include "passes/quantize/FoldScales.h"

#include <cmath>
#include <mutex>

using namespace mlir;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_SMOOTHQUANT
#include "passes/quantize/Passes.h.inc"

namespace {

class SmoothQuantPass : public impl::SmoothQuantBase<SmoothQuantPass> {
public:
  using SmoothQuantBase::SmoothQuantBase;
  SmoothQuantPass(const SmoothQuantOptions &options, const CalibrationRun &calibration)
      : SmoothQuantBase(options), calibration(calibration) {}

  void runOnOperation() override {
    const auto choose = [&](const quantize::ScaleFold &fold, const calibrate::Statistics &statistics,
                            calibrate::BlockRunner &) { return factorsOf(fold, statistics); };
    if (failed(quantize::foldScales(getOperation(), getArgument(), work, calibration, choose)))
      signalPassFailure();
  }

private:
  Expected<std::vector<float>> factorsOf(const quantize::ScaleFold &fold, const calibrate::Statistics &statistics) {
    if (statistics.lowest.empty())
      return Error{"no ranges were gathered"};
    std::vector<float> inputs(fold.channels), weights(fold.channels);
    for (int64_t i = 0; i < fold.channels; ++i)
      inputs[i] = std::max(-statistics.lowest[i], statistics.highest[i]);
    for (const quantize::FoldedWeight &reader : fold.readers)
      if (Status added = addLargest(reader.weight, weights); !added)
        return added.error();
    return quantize::smoothingScale(inputs, weights, alpha);
  }

  /// Raises each column's magnitude to the largest of `weight`.
  Status addLargest(WeightOp weight, std::vector<float> &largest) {
    Expected<formats::StoredMatrix> matrix = source.open(weight);
    if (!matrix)
      return matrix.error();
    std::mutex mutex;
    Status status = streamRows(&getContext(), *matrix, [&](int64_t, RowChunk &chunk) -> Status {
      std::lock_guard<std::mutex> lock(mutex);
      for (int64_t row = chunk.first(); row < chunk.last(); ++row)
        for (auto [most, value] : llvm::zip(largest, chunk.row(row)))
          most = std::max(most, std::fabs(value));
      return {};
    });
    source.release(weight);
    return status;
  }

  CalibrationRun calibration;
  StoredWeights source;
};

} // namespace

std::unique_ptr<Pass> createSmoothQuant(const SmoothQuantOptions &options, const CalibrationRun &run) {
  return std::make_unique<SmoothQuantPass>(options, run);
}
} // namespace halftone
