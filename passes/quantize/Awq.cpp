// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// AWQ: the power of the inputs' size by which columns are scaled is searched, fold by fold.
#include "dialects/lowbit/StoredWeights.h"
#include "dialects/lowbit/StreamRows.h"
#include "lib/quantize/ColumnScale.h"
#include "passes/Remarks.h"
#include "passes/quantize/CalibratedWeights.h"
#include "passes/quantize/FoldScales.h"
#include "passes/quantize/Runner.h"

#include <cmath>

using namespace mlir;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_AWQ
#include "passes/quantize/Passes.h.inc"

namespace {

/// Tries factors for the columns of one fold's readers.
class ScaleTrial {
public:
  static Expected<ScaleTrial> open(const quantize::ScaleFold &fold, StoredWeights &source) {
    ScaleTrial trial;
    for (const quantize::FoldedWeight &reader : fold.readers) {
      if (!reader.format)
        continue; // stays as it is
      WeightOp weight = reader.weight;
      Expected<std::vector<float>> values = readAll(source, weight);
      if (!values)
        return values.error();
      trial.readers.push_back({weight, reader.format.getValue(), std::move(*values), {}});
      trial.readers.back().rounded.resize(trial.readers.back().values.size());
    }
    return trial;
  }

  /// What the function that reads the weights loses of its outputs.
  Expected<double> loss(std::span<const float> factors, calibrate::BlockRunner &runner) {
    std::vector<calibrate::Trial> trials;
    for (Reader &reader : readers) {
      const auto columns = static_cast<int64_t>(factors.size());
      const auto rows = static_cast<int64_t>(reader.values.size()) / columns;
      Status rounded = quantize::roundScaled(reader.format, {reader.values.data(), rows, columns}, factors,
                                             {reader.rounded.data(), rows, columns},
                                             quantize::threadsOf(reader.weight.getContext()));
      if (!rounded)
        return Error{"weight '" + reader.weight.getSymName().str() + "', " + rounded.error().message};
      trials.push_back({reader.weight.getSymName().str(), reader.rounded});
    }
    return runner.outputError(trials.front().weight, trials);
  }

private:
  struct Reader {
    WeightOp weight;
    formats::Format format;
    std::vector<float> values, rounded; // [rows, columns]
  };

  std::vector<Reader> readers;
};

class AwqPass : public impl::AwqBase<AwqPass> {
public:
  using AwqBase::AwqBase;
  AwqPass(const AwqOptions &options, const CalibrationRun &calibration) : AwqBase(options), calibration(calibration) {}

  void runOnOperation() override {
    if (!data.empty())
      quantize::runOn(data, work, calibration);
    const auto choose = [&](const quantize::ScaleFold &fold, const calibrate::Statistics &statistics,
                            calibrate::BlockRunner &runner) { return search(fold, statistics, runner); };
    if (failed(quantize::foldScales(getOperation(), getArgument(), work, calibration, choose)))
      signalPassFailure();
  }

private:
  /// The factors with the least loss; of equal ones those with the lowest power.
  Expected<std::vector<float>> search(const quantize::ScaleFold &fold, const calibrate::Statistics &statistics,
                                      calibrate::BlockRunner &runner) {
    if (statistics.meanAbs.empty())
      return Error{"no magnitudes were gathered"};
    Expected<ScaleTrial> trial = ScaleTrial::open(fold, source);
    if (!trial)
      return trial.error();
    double least = HUGE_VAL, power = 0;
    std::vector<float> best;
    for (int step = 0; step < steps; ++step) {
      std::vector<float> factors = quantize::activationScale(statistics.meanAbs, 1.0 * step / steps);
      Expected<double> loss = trial->loss(factors, runner);
      if (!loss)
        return loss.error();
      if (!(*loss < least))
        continue;
      least = *loss;
      power = 1.0 * step / steps;
      best = std::move(factors);
    }
    if (best.empty())
      return Error{"no scale of its columns leaves outputs that are numbers"};
    WeightOp first = fold.readers.front().weight;
    rewrote(first.getLoc(), getArgument()) << remark::metric("alpha", power) << remark::metric("loss", least);
    return best;
  }

  CalibrationRun calibration;
  StoredWeights source;
};

} // namespace

std::unique_ptr<Pass> createAwq(const AwqOptions &options, const CalibrationRun &run) {
  return std::make_unique<AwqPass>(options, run);
}
} // namespace halftone
