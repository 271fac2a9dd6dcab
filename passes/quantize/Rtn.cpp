// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Round to nearest, weight by weight, into one work file.
#include "lib/quantize/Rtn.h"
#include "dialects/lowbit/PropagateTypes.h"
#include "dialects/lowbit/StoredWeights.h"
#include "dialects/lowbit/WeightUses.h"
#include "dialects/lowbit/WorkFile.h"
#include "lib/formats/Packing.h"
#include "passes/Remarks.h"
#include "passes/quantize/Decision.h"
#include "passes/quantize/Passes.h"
#include "passes/quantize/StreamRows.h"

#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace mlir;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_RTN
#include "passes/quantize/Passes.h.inc"

namespace {

/// A weight, what it shall become, and where its rows go.
struct Task {
  WeightOp weight;
  FormatAttr format;
  uint64_t offset = 0;
  double error = 0;
  int64_t vanishedBlocks = 0;
};

/// The relative error from which on less than three quarters of a weight's energy are left.
constexpr double tooMuchError = 0.5;

/// Tells the user when little or nothing is left of a weight, or of some of its blocks.
void warnOfLoss(const Task &task) {
  if (task.error <= tooMuchError && task.vanishedBlocks == 0)
    return;
  WeightOp weight = task.weight;
  InFlightDiagnostic warning = weight.emitWarning();
  warning << weight.getFile() << ": weight '" << weight.getSymName() << "' loses much as "
          << formats::name(task.format.getValue()) << ": the relative error is "
          << llvm::formatv("{0:f3}", task.error).str();
  if (task.vanishedBlocks != 0)
    warning << ", " << task.vanishedBlocks << " blocks that are not zero have the scale 0";
}

int64_t sourceBytes(WeightOp weight) {
  auto type = cast<WeightType>(weight.getType());
  return formats::rowBytes(type.getFormat().getValue(), type.getShape().back()) * type.getShape().front();
}

/// Quantizes the rows of `chunk` into `bytes`, one storage row after the other.
Expected<quantize::RowStatistics> encode(const formats::Format &format, int64_t columns,
                                         const quantize::RowChunk &chunk, std::vector<std::byte> &bytes) {
  auto source = [&](int64_t row, std::span<float> values) -> Status {
    std::ranges::copy(chunk.row(row), values.begin());
    return {};
  };
  auto sink = [&](int64_t, std::span<const std::byte> row) -> Status {
    bytes.insert(bytes.end(), row.begin(), row.end());
    return {};
  };
  return quantize::roundToNearest(format, {chunk.first(), chunk.last()}, columns, source, sink);
}

class RtnPass : public impl::RtnBase<RtnPass> {
public:
  using RtnBase::RtnBase;
  RtnPass(const RtnOptions &options, WeightProgress progress) : RtnBase(options), progress(std::move(progress)) {}

  void runOnOperation() override {
    acted.clear();
    FailureOr<std::vector<Task>> tasks = collectTasks();
    if (failed(tasks))
      return signalPassFailure();
    if (tasks->empty())
      return;
    if (failed(quantizeAll(*tasks)))
      return signalPassFailure();
    for (Task &task : *tasks) {
      warnOfLoss(task); // which names the file that the weight comes from
      rename(task);
    }
    for (Operation *op : acted)
      op->removeAttr("method");
    propagateWeightTypes(getOperation());
  }

private:
  /// The format in which those of its readers want a weight that leave the work to this pass; they are added to
  /// `acted`.
  quantize::WantedFormat wanted(ArrayRef<OpOperand *> uses) {
    quantize::WantedFormat result;
    for (OpOperand *use : uses) {
      StringAttr method = quantize::decisionOf(*use).method;
      if (!method || method != getArgument())
        continue;
      result.add(*use);
      acted.insert(use->getOwner());
    }
    return result;
  }

  FailureOr<std::vector<Task>> collectTasks() {
    std::vector<Task> tasks;
    const WeightUses uses(getOperation());
    for (WeightOp weight : getOperation().getOps<WeightOp>()) {
      quantize::WantedFormat format = wanted(uses.of(weight));
      if (format.hasConflict())
        return format.report(weight);
      if (!format.get())
        continue;
      if (!cast<WeightType>(weight.getType()).getFormat().getValue().isPlain())
        return weight.emitError() << weight.getFile() << ": weight '" << weight.getSymName() << "' is "
                                  << cast<WeightType>(weight.getType()) << ": only plain weights can be quantized";
      tasks.push_back({weight, format.get()});
    }
    if (failed(checkAllReached()))
      return failure();
    return tasks;
  }

  /// Each operation that waits for this pass reads a named weight.
  LogicalResult checkAllReached() {
    WalkResult result = getOperation().walk([&](Operation *op) {
      auto method = op->getAttrOfType<StringAttr>("method");
      if (!isa<LinearOp, EmbeddingOp>(op) || !method || method != getArgument() || acted.contains(op))
        return WalkResult::advance();
      op->emitOpError("waits for ") << method << ", but no lowbit.weight reaches it: derived weights are to be "
                                    << "evaluated first";
      return WalkResult::interrupt();
    });
    return failure(result.wasInterrupted());
  }

  LogicalResult quantizeAll(std::vector<Task> &tasks) {
    auto file = WorkFile::create(work, getOperation(), getArgument());
    if (!file)
      return getOperation().emitError(file.error().message);
    uint64_t done = 0, total = 0;
    for (const Task &task : tasks)
      total += sourceBytes(task.weight);
    for (Task &task : tasks) {
      if (Status status = quantizeOne(task, **file); !status)
        return task.weight.emitError(status.error().message);
      done += sourceBytes(task.weight);
      if (progress)
        progress(done, total);
    }
    if (Status status = (*file)->commit(); !status)
      return getOperation().emitError(status.error().message);
    return success();
  }

  Status quantizeOne(Task &task, WorkFile &file) {
    Expected<formats::StoredMatrix> matrix = source.open(task.weight);
    if (!matrix)
      return matrix.error();
    const formats::Format &format = task.format.getValue();
    const int64_t columns = matrix->shape().columns, rowBytes = formats::rowBytes(format, columns);
    task.offset = file.reserve(matrix->shape().rows * rowBytes);
    std::vector<quantize::RowStatistics> statistics(quantize::chunkCount(*matrix));
    Status status =
        quantize::streamRows(&getContext(), *matrix, [&](int64_t index, quantize::RowChunk &chunk) -> Status {
          std::vector<std::byte> bytes;
          bytes.reserve((chunk.last() - chunk.first()) * rowBytes);
          Expected<quantize::RowStatistics> lost = encode(format, columns, chunk, bytes);
          if (!lost)
            return Error{(task.weight.getFile() + ": weight '" + task.weight.getSymName() + "', ").str() +
                         lost.error().message};
          statistics[index] = *lost;
          return file.writeAt(task.offset + chunk.first() * rowBytes, bytes);
        });
    source.release(task.weight);
    quantize::RowStatistics all;
    for (const quantize::RowStatistics &part : statistics)
      all.add(part);
    task.vanishedBlocks = all.vanishedBlocks;
    task.error = all.squaredNorm == 0 ? 0 : std::sqrt(all.squaredError / all.squaredNorm);
    return status;
  }

  /// The weight's new place and type, and what it cost.
  void rename(const Task &task) {
    WeightOp weight = task.weight;
    auto shape = cast<WeightType>(weight.getType()).getShape();
    weight.setTypeAttr(TypeAttr::get(WeightType::get(&getContext(), shape, task.format)));
    weight.setFile(work);
    weight.setOffset(task.offset);
    weight.setTransposed(false);
    weight->setAttr("error", FloatAttr::get(Float64Type::get(&getContext()), task.error));
    rewrote(weight.getLoc(), "rtn") << remark::metric("weight", weight.getSymName())
                                    << remark::metric("format", formats::name(task.format.getValue()))
                                    << remark::metric("error", task.error);
  }

  WeightProgress progress;
  StoredWeights source;
  DenseSet<Operation *> acted;
};

} // namespace

std::unique_ptr<Pass> createRtn(const RtnOptions &options, WeightProgress progress) {
  return std::make_unique<RtnPass>(options, std::move(progress));
}
} // namespace halftone
