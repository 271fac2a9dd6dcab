// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One pass over all blocks, whose statistics go to a file.
#include "dialects/lowbit/StoredWeights.h"
#include "passes/calibrate/Passes.h"
#include "passes/calibrate/SequenceArrays.h"

#include "llvm/Support/FormatVariadic.h"

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
                const calibrate::Fingerprint &fingerprint, calibrate::ObservationProgress progress)
      : CalibrateBase(options), makeRunner(std::move(makeRunner)), fingerprint(fingerprint),
        progress(std::move(progress)) {}

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
      declarations.push_back({seen.weights.front(), seen.columns, seen.gather, seen.weights});
    io::AtomicFileOptions files;
    files.inputs = weightFiles(getOperation());
    Expected<calibrate::StatisticsWriter> writer =
        calibrate::StatisticsWriter::create(statistics, fingerprint, declarations, files);
    if (!writer)
      return writer.error();
    uint64_t done = 0;
    for (const std::string &name : llvm::map_range(declarations, [](auto &declared) { return declared.name; })) {
      if (Status written = gather(name, **runner, *writer); !written)
        return written;
      report(++done, declarations.size(), name, **runner);
    }
    if (Status committed = writer->commit(); !committed)
      return committed;
    const Expected<calibrate::StatisticsFile> file = calibrate::StatisticsFile::open(statistics);
    if (!file)
      return file.error();
    calibrate::recordStatistics(getOperation(), *file);
    return {};
  }

  /// Writes what is seen of the inputs of the weight called `name`.
  Status gather(const std::string &name, calibrate::BlockRunner &runner, calibrate::StatisticsWriter &writer) {
    Expected<std::shared_ptr<calibrate::Statistics>> found = runner.observe(name);
    if (!found)
      return found.error();
    return writer.write(name, **found);
  }

  void report(uint64_t done, uint64_t total, const std::string &name, const calibrate::BlockRunner &runner) {
    if (!progress)
      return;
    const auto [block, blocks] = runner.block();
    progress(done, total, llvm::formatv("block {0}/{1}, {2}", block, blocks, name).str());
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
  calibrate::ObservationProgress progress;
  std::optional<calibrate::SequenceArrays> arrays; // that the runner reads
};

} // namespace

void calibrate::recordStatistics(ModuleOp module, const StatisticsFile &file) {
  Builder builder(module.getContext());
  module->setAttr(statisticsFileAttrName, builder.getStringAttr(file.path()));
  for (auto weight : module.getOps<WeightOp>())
    if (const std::string *name = file.nameFor(weight.getSymName()))
      weight->setAttr(statisticsAttrName, builder.getStringAttr(*name));
}

std::unique_ptr<Pass> createCalibrate(const CalibrateOptions &options, calibrate::MakeRunner makeRunner,
                                      const calibrate::Fingerprint &fingerprint,
                                      calibrate::ObservationProgress progress) {
  return std::make_unique<CalibratePass>(options, std::move(makeRunner), fingerprint, std::move(progress));
}
} // namespace halftone
