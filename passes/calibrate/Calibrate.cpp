// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One pass over all blocks, whose statistics go to a file.
#include "dialects/lowbit/StoredWeights.h"
#include "passes/calibrate/Passes.h"
#include "passes/calibrate/SequenceArrays.h"

using namespace mlir;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_CALIBRATE
#include "passes/calibrate/Passes.h.inc"

namespace {

class CalibratePass : public impl::CalibrateBase<CalibratePass> {
public:
  using CalibrateBase::CalibrateBase;
  CalibratePass(const CalibrateOptions &options, calibrate::MakeRunner makeRunner,
                const calibrate::Fingerprint &fingerprint)
      : CalibrateBase(options), makeRunner(std::move(makeRunner)), fingerprint(fingerprint) {}

  void runOnOperation() override {
    if (statistics.empty())
      statistics = data + ".statistics";
    if (Status status = gather(); !status) {
      getOperation().emitError(status.error().message);
      signalPassFailure();
    }
    arrays.reset();
  }

private:
  Status gather() {
    Expected<std::unique_ptr<calibrate::BlockRunner>> runner = open();
    if (!runner)
      return runner.error();
    std::vector<calibrate::StatisticsDeclaration> declarations;
    for (const calibrate::Observation &seen : (*runner)->observations())
      declarations.push_back({seen.weights.front(), seen.columns, seen.gather});
    io::AtomicFileOptions files;
    files.inputs = weightFiles(getOperation());
    Expected<calibrate::StatisticsWriter> writer =
        calibrate::StatisticsWriter::create(statistics, fingerprint, declarations, files);
    if (!writer)
      return writer.error();
    for (const calibrate::Observation &seen : (*runner)->observations())
      if (Status written = gather(seen, **runner, *writer); !written)
        return written;
    if (Status done = writer->commit(); !done)
      return done;
    getOperation()->setAttr(calibrate::statisticsFileAttrName, StringAttr::get(&getContext(), statistics));
    return {};
  }

  /// Writes what one observation saw, and says so on the weights behind it.
  Status gather(const calibrate::Observation &seen, calibrate::BlockRunner &runner,
                calibrate::StatisticsWriter &writer) {
    const std::string &name = seen.weights.front();
    Expected<std::shared_ptr<calibrate::Statistics>> found = runner.observe(name);
    if (!found)
      return found.error();
    for (const std::string &weight : seen.weights)
      if (auto op = getOperation().lookupSymbol<WeightOp>(weight))
        op->setAttr(calibrate::statisticsAttrName, StringAttr::get(&getContext(), name));
    return writer.write(name, **found);
  }

  Expected<std::unique_ptr<calibrate::BlockRunner>> open() {
    if (makeRunner)
      return makeRunner(getOperation(), {});
    Expected<calibrate::SequenceArrays> read = calibrate::SequenceArrays::open(data, getOperation());
    if (!read)
      return read.error();
    arrays.emplace(std::move(*read));
    fingerprint.data = arrays->fingerprint();
    calibrate::RunnerOptions options;
    options.memory = memory;
    options.work = statistics + ".activations";
    return calibrate::compileBlocks(getOperation(), arrays->sequences(), options);
  }

  calibrate::MakeRunner makeRunner;
  calibrate::Fingerprint fingerprint;
  std::optional<calibrate::SequenceArrays> arrays; // that the runner reads
};

} // namespace

std::unique_ptr<Pass> createCalibrate(const CalibrateOptions &options, calibrate::MakeRunner makeRunner,
                                      const calibrate::Fingerprint &fingerprint) {
  return std::make_unique<CalibratePass>(options, std::move(makeRunner), fingerprint);
}
} // namespace halftone
