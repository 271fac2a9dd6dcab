// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Round to nearest, weight by weight, into one work file.
#include "dialects/lowbit/PropagateTypes.h"
#include "dialects/lowbit/StoredWeights.h"
#include "lib/formats/Packing.h"
#include "passes/quantize/Passes.h"
#include "passes/quantize/RoundRows.h"
#include "passes/quantize/WeightTask.h"

using namespace mlir;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_RTN
#include "passes/quantize/Passes.h.inc"

namespace {

class RtnPass : public impl::RtnBase<RtnPass> {
public:
  using RtnBase::RtnBase;
  RtnPass(const RtnOptions &options, WeightProgress progress) : RtnBase(options), progress(std::move(progress)) {}

  void runOnOperation() override {
    quantize::WaitingWeights waiting(getOperation(), getArgument());
    std::vector<quantize::WeightTask> tasks;
    for (WeightOp weight : getOperation().getOps<WeightOp>()) {
      FailureOr<std::optional<quantize::WeightTask>> task = waiting.of(weight);
      if (failed(task))
        return signalPassFailure();
      if (*task)
        tasks.push_back(**task);
    }
    if (failed(waiting.checkAllReached(getOperation())))
      return signalPassFailure();
    if (tasks.empty())
      return waiting.finish();
    if (failed(quantizeAll(tasks)))
      return signalPassFailure();
    for (quantize::WeightTask &task : tasks) {
      task.warnOfLoss(); // which names the file that the weight comes from
      task.rename(work, getArgument());
    }
    waiting.finish();
    propagateWeightTypes(getOperation());
  }

private:
  LogicalResult quantizeAll(std::vector<quantize::WeightTask> &tasks) {
    auto file = WorkFile::create(work, getOperation(), getArgument());
    if (!file)
      return getOperation().emitError(file.error().message);
    uint64_t done = 0, total = 0;
    for (const quantize::WeightTask &task : tasks)
      total += task.sourceBytes();
    for (quantize::WeightTask &task : tasks) {
      if (Status status = quantizeOne(task, **file); !status)
        return task.weight.emitError(status.error().message);
      done += task.sourceBytes();
      if (progress)
        progress(done, total, "");
    }
    if (Status status = (*file)->commit(); !status)
      return getOperation().emitError(status.error().message);
    return success();
  }

  Status quantizeOne(quantize::WeightTask &task, WorkFile &file) {
    Expected<formats::StoredMatrix> matrix = source.open(task.weight);
    if (!matrix)
      return matrix.error();
    const formats::Format &format = task.format.getValue();
    const int64_t columns = matrix->shape().columns, rowBytes = formats::rowBytes(format, columns);
    task.offset = file.reserve(matrix->shape().rows * rowBytes);
    const auto write = [&](int64_t row, std::span<const std::byte> bytes) {
      return file.writeAt(task.offset + row * rowBytes, bytes);
    };
    const std::string where = (task.weight.getFile() + ": weight '" + task.weight.getSymName() + "'").str();
    const Expected<quantize::RowStatistics> all = quantize::roundRows(&getContext(), *matrix, format, where, write);
    source.release(task.weight);
    if (!all)
      return all.error();
    task.vanishedBlocks = all->vanishedBlocks;
    task.error = all->error();
    return {};
  }

  WeightProgress progress;
  StoredWeights source;
};

} // namespace

std::unique_ptr<Pass> createRtn(const RtnOptions &options, WeightProgress progress) {
  return std::make_unique<RtnPass>(options, std::move(progress));
}
} // namespace halftone
