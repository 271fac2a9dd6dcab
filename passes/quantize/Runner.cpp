// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Recorded statistics answer as a model that runs would, as far as they can.
#include "passes/quantize/Runner.h"

#include "passes/calibrate/SequenceArrays.h"

#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

namespace {

/// The statistics in the file that the pass calibrate recorded: those of the model as it was.
class RecordedStatistics : public calibrate::BlockRunner {
public:
  RecordedStatistics(calibrate::StatisticsFile file, ModuleOp module) : file(std::move(file)) {
    for (WeightOp weight : module.getOps<WeightOp>())
      if (auto name = weight->getAttrOfType<StringAttr>(calibrate::statisticsAttrName))
        names[weight.getSymName()] = name.str();
  }

  std::vector<calibrate::Observation> observations() const override { return {}; }

  Expected<std::shared_ptr<calibrate::Statistics>> observe(std::string_view weight) override {
    const std::string *name = nameFor(weight);
    if (!name)
      return Error{file.path() + ": it has no statistics of its inputs"};
    if (*name != lastName || !last) {
      Expected<calibrate::Statistics> found = file.read(*name);
      if (!found)
        return found.error();
      last = std::make_shared<calibrate::Statistics>(std::move(*found));
      lastName = *name;
    }
    return last;
  }

  std::pair<size_t, size_t> block() const override { return {1, 1}; }

  Expected<std::shared_ptr<const calibrate::Drift>> drift(std::string_view) override {
    return Error{"recorded statistics know no drift: it needs the model to run"};
  }

  Expected<double> outputError(std::string_view, std::span<const calibrate::Trial>) override {
    return Error{"recorded statistics know no outputs: it needs the model to run"};
  }

  Status replace(std::string_view, std::span<const float>) override { return {}; }

private:
  /// As the weight itself says; one that was derived since then says nothing.
  const std::string *nameFor(std::string_view weight) const {
    const auto name = names.find(weight);
    return name == names.end() ? file.nameFor(weight) : &name->second;
  }

  calibrate::StatisticsFile file;
  llvm::StringMap<std::string> names;
  std::string lastName;
  std::shared_ptr<calibrate::Statistics> last;
};

} // namespace

Expected<std::unique_ptr<calibrate::BlockRunner>> quantize::openRunner(ModuleOp module, StringRef method,
                                                                       const calibrate::MakeRunner &makeRunner,
                                                                       const calibrate::Wanted &wanted) {
  if (makeRunner)
    return makeRunner(module, wanted);
  auto recorded = module->getAttrOfType<StringAttr>(calibrate::statisticsFileAttrName);
  if (!recorded)
    return Error{method.str() + " needs statistics: calibrate the model first"};
  Expected<calibrate::StatisticsFile> file = calibrate::StatisticsFile::open(recorded.str());
  if (!file)
    return file.error();
  return std::unique_ptr<calibrate::BlockRunner>(std::make_unique<RecordedStatistics>(std::move(*file), module));
}

void quantize::runOn(const std::string &data, const std::string &work, CalibrationRun &run) {
  if (!run.makeRunner) {
    calibrate::RunnerOptions options;
    options.work = work + ".activations";
    run.makeRunner = calibrate::runnerOn(data, options);
  }
  if (!run.makeDivergence)
    run.makeDivergence = calibrate::divergenceOn(data);
}
