// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Weight by weight: look at the inputs, quantize, write, go on with what it has become.
#include "passes/quantize/CalibratedWeights.h"

#include "dialects/lowbit/PropagateTypes.h"
#include "dialects/lowbit/StoredWeights.h"
#include "dialects/lowbit/StreamRows.h"
#include "dialects/lowbit/WeightOrder.h"
#include "lib/formats/Codec.h"
#include "lib/formats/Packing.h"
#include "lib/quantize/Method.h"
#include "passes/quantize/Runner.h"
#include "passes/quantize/WeightTask.h"

#include "mlir/IR/Threading.h"

#include "llvm/Support/FormatVariadic.h"

#include <cmath>
#include <cstring>

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;
using namespace halftone::quantize;

matrix::ParallelFor quantize::threadsOf(MLIRContext *context) {
  return [context](int64_t count, const std::function<void(int64_t)> &body) {
    parallelFor(context, 0, count, [&](size_t i) { body(static_cast<int64_t>(i)); });
  };
}

namespace {

/// What there is to say of a weight that is done; condition is 0 where no Hessian was factored.
struct Figures {
  double error = 0, outputError = 0, damp = 0, condition = 0;
  int64_t vanishedBlocks = 0, deadColumns = 0, rareColumns = 0;
};

/// A weight that is done: its storage rows one after another, and what it lost.
struct QuantizedRows : Figures {
  std::vector<std::byte> bytes;
};

double relative(double squaredError, double squaredNorm) {
  return squaredNorm == 0 ? 0 : std::sqrt(squaredError / squaredNorm);
}

QuantizedRows packed(const GptqResult &result) {
  const formats::EncodedMatrix &matrix = result.matrix;
  const GptqLoss &loss = result.loss;
  const int64_t rowBytes = formats::rowBytes(matrix.format(), matrix.columns());
  QuantizedRows rows;
  rows.error = relative(loss.weights.squaredError, loss.weights.squaredNorm);
  rows.outputError = relative(loss.outputError, loss.outputNorm);
  rows.damp = result.hessian.damp;
  rows.condition = result.hessian.condition;
  rows.vanishedBlocks = loss.weights.vanishedBlocks;
  rows.deadColumns = static_cast<int64_t>(result.hessian.deadColumns.size());
  rows.bytes.resize(matrix.rows() * rowBytes);
  for (int64_t row = 0; row < matrix.rows(); ++row)
    formats::packRow(matrix.format(), matrix.columns(), matrix.row(row),
                     std::span(rows.bytes).subspan(row * rowBytes, rowBytes));
  return rows;
}

/// Columns that were not 0 for some tokens, but for fewer than one in a hundred: what is known of them is little.
int64_t countRare(const calibrate::Statistics &statistics) {
  return llvm::count_if(statistics.seen,
                        [&](int64_t tokens) { return tokens > 0 && tokens < statistics.tokens / 100; });
}

/// As the journal keeps it: the figures, then the rows.
std::vector<std::byte> serialized(const QuantizedRows &rows) {
  const Figures &figures = rows;
  std::vector<std::byte> bytes(sizeof(figures));
  std::memcpy(bytes.data(), &figures, sizeof(figures));
  bytes.insert(bytes.end(), rows.bytes.begin(), rows.bytes.end());
  return bytes;
}

QuantizedRows deserialized(const std::vector<std::byte> &bytes) {
  QuantizedRows rows;
  Figures &figures = rows;
  std::memcpy(&figures, bytes.data(), sizeof(figures));
  rows.bytes.assign(bytes.begin() + sizeof(figures), bytes.end());
  return rows;
}

class CalibratedLoop {
public:
  CalibratedLoop(ModuleOp module, StringRef method, const CalibrationRun &calibration, const QuantizeMatrix &quantize,
                 bool wantsDrift)
      : module(module), waiting(module, method), method(method), calibration(calibration), quantizeMatrix(quantize),
        wanted{findMethod(method)->gather, wantsDrift} {}

  LogicalResult run(const std::string &work) {
    if (failed(collect()))
      return failure();
    if (tasks.empty())
      return success();
    auto file = WorkFile::create(work, module, method);
    if (!file)
      return module.emitError(file.error().message);
    if (Status opened = open(); !opened)
      return module.emitError(opened.error().message);
    uint64_t done = 0, total = 0;
    for (const WeightTask &task : tasks)
      total += task.sourceBytes();
    for (WeightTask &task : tasks) {
      if (Status status = quantizeOne(task, **file); !status)
        return task.weight.emitError() << task.weight.getFile() << ": weight '" << task.weight.getSymName()
                                       << "': " << status.error().message;
      done += task.sourceBytes();
      if (calibration.progress)
        calibration.progress(done, total, progressOf(task));
    }
    if (Status status = (*file)->commit(); !status)
      return module.emitError(status.error().message);
    finish(work);
    return success();
  }

private:
  LogicalResult collect() {
    for (WeightOp weight : linearWeightsInOrder(module)) {
      if (!waiting.servesLinearsOnly(weight))
        continue;
      FailureOr<std::optional<WeightTask>> task = waiting.of(weight);
      if (failed(task))
        return failure();
      if (*task && !(*task)->format.getValue().isPlain())
        tasks.push_back(**task);
    }
    return waiting.checkAllReached(module);
  }

  /// Opens a runner, unless the method needs no data.
  Status open() {
    if (wanted.gather == calibrate::Gather::nothing)
      return {};
    auto opened = openRunner(module, method, calibration.makeRunner, wanted);
    if (!opened)
      return opened.error();
    runner = std::move(*opened);
    return {};
  }

  Status quantizeOne(WeightTask &task, WorkFile &file) {
    Expected<QuantizedRows> rows = isDone(task) ? recall(task) : compute(task);
    if (!rows)
      return rows.error();
    task.error = rows->error;
    task.vanishedBlocks = rows->vanishedBlocks;
    task.offset = file.reserve(rows->bytes.size());
    if (Status written = file.writeAt(task.offset, rows->bytes); !written || !runner)
      return written;
    outputErrors += rows->outputError;
    describe(task.weight, *rows);
    return runner->replace(task.weight.getSymName(), decode(task, rows->bytes));
  }

  /// "block 3/6, model.layers.2.mlp.up_proj.weight, outputs off by 0.083 so far"; the name alone without a runner.
  std::string progressOf(WeightTask &task) {
    if (!runner)
      return task.weight.getSymName().str();
    const auto [block, blocks] = runner->block();
    const double mean = outputErrors / static_cast<double>(++weightsDone);
    return llvm::formatv("block {0}/{1}, {2}, outputs off by {3:f3} so far", block, blocks, task.weight.getSymName(),
                         mean)
        .str();
  }

  /// Leaves what the report tells of a weight on it.
  static void describe(WeightOp weight, const Figures &figures) {
    Builder builder(weight.getContext());
    weight->setAttr("output_error", builder.getF64FloatAttr(figures.outputError));
    if (figures.condition == 0)
      return;
    weight->setAttr("damp", builder.getF64FloatAttr(figures.damp));
    weight->setAttr("condition", builder.getF64FloatAttr(figures.condition));
    weight->setAttr("dead_columns", builder.getI64IntegerAttr(figures.deadColumns));
    weight->setAttr("rare_columns", builder.getI64IntegerAttr(figures.rareColumns));
  }

  bool isDone(WeightTask &task) const {
    return calibration.journal && calibration.journal->contains(task.weight.getSymName());
  }

  Expected<QuantizedRows> compute(WeightTask &task) {
    const StringRef name = task.weight.getSymName();
    const ArrayRef<int64_t> shape = cast<WeightType>(task.weight.getType()).getShape();
    Expected<WeightInputs> inputs = runner ? look(name, shape[1]) : WeightInputs();
    if (!inputs)
      return inputs.error();
    Expected<std::vector<float>> values = readAll(source, task.weight);
    if (!values)
      return values.error();
    Expected<GptqResult> result = quantizeMatrix(task.format.getValue(), {values->data(), shape[0], shape[1]}, *inputs);
    if (!result)
      return result.error();
    QuantizedRows rows = packed(*result);
    if (runner)
      rows.rareColumns = countRare(*inputs->statistics);
    if (calibration.journal)
      if (Status kept = calibration.journal->append(name, serialized(rows)); !kept)
        return kept.error();
    return rows;
  }

  /// What the runner sees of the inputs of the linears that read weight `name`.
  Expected<WeightInputs> look(StringRef name, int64_t columns) {
    auto statistics = runner->observe(name);
    if (!statistics)
      return statistics.error();
    if ((*statistics)->columns != columns)
      return Error{"the statistics are of " + std::to_string((*statistics)->columns) + " columns, the weight has " +
                   std::to_string(columns)};
    if (!wanted.drift)
      return WeightInputs{*statistics, nullptr};
    auto drift = runner->drift(name);
    if (!drift)
      return drift.error();
    return WeightInputs{*statistics, *drift};
  }

  Expected<QuantizedRows> recall(WeightTask &task) const {
    Expected<std::vector<std::byte>> bytes = calibration.journal->read(task.weight.getSymName());
    if (!bytes)
      return bytes.error();
    return deserialized(*bytes);
  }

  std::vector<float> decode(WeightTask &task, std::span<const std::byte> bytes) {
    const formats::Format &format = task.format.getValue();
    const ArrayRef<int64_t> shape = cast<WeightType>(task.weight.getType()).getShape();
    const int64_t rowBytes = formats::rowBytes(format, shape[1]);
    std::vector<float> values(shape[0] * shape[1]);
    threadsOf(module.getContext())(shape[0], [&](int64_t row) {
      formats::RowBuffer encoded(format, shape[1]);
      formats::unpackRow(format, shape[1], bytes.subspan(row * rowBytes, rowBytes), encoded.row());
      formats::decodeRow(format, encoded.view(), std::span(values).subspan(row * shape[1], shape[1]));
    });
    return values;
  }

  void finish(const std::string &work) {
    for (WeightTask &task : tasks) {
      task.warnOfLoss();
      task.rename(work, method);
    }
    waiting.finish();
    propagateWeightTypes(module);
  }

  ModuleOp module;
  WaitingWeights waiting;
  StringRef method;
  const CalibrationRun &calibration;
  const QuantizeMatrix &quantizeMatrix;
  const calibrate::Wanted wanted;
  std::unique_ptr<calibrate::BlockRunner> runner; ///< null when the method needs no data
  std::vector<WeightTask> tasks;
  double outputErrors = 0; // sum over those that are done
  size_t weightsDone = 0;
  StoredWeights source;
};

} // namespace

LogicalResult quantize::quantizeCalibrated(ModuleOp module, StringRef method, const std::string &work,
                                           const CalibrationRun &run, const QuantizeMatrix &quantize, bool wantsDrift) {
  return CalibratedLoop(module, method, run, quantize, wantsDrift).run(work);
}
