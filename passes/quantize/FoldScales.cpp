// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fold by fold: look at the value, choose factors, write them, derive the weights around.
#include "passes/quantize/FoldScales.h"

#include "dialects/lowbit/StoredWeights.h"
#include "dialects/lowbit/WorkFile.h"
#include "lib/quantize/Method.h"
#include "passes/Remarks.h"
#include "passes/quantize/Runner.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;
using namespace halftone::quantize;

namespace {

class FoldingLoop {
public:
  FoldingLoop(ModuleOp module, StringRef method, const CalibrationRun &calibration, const ChooseScale &choose)
      : module(module), symbols(module), method(method), calibration(calibration), choose(choose) {}

  LogicalResult run(const std::string &work) {
    SmallVector<ScaleFold> folds = findScaleFolds(module, method);
    if (!folds.empty() && failed(foldAll(folds, work)))
      return failure();
    finish();
    return success();
  }

private:
  LogicalResult foldAll(ArrayRef<ScaleFold> folds, const std::string &work) {
    auto file = WorkFile::create(work, module, method);
    if (!file)
      return module.emitError(file.error().message);
    auto runner = openRunner(module, method, calibration.makeRunner, {findMethod(method)->gather});
    if (!runner)
      return module.emitError(runner.error().message);
    uint64_t done = 0, total = 0;
    for (const ScaleFold &fold : folds)
      total += bytesOf(fold);
    for (const ScaleFold &fold : folds) {
      if (Status status = foldOne(fold, **runner, **file); !status) {
        WeightOp weight = fold.readers.front().weight;
        return weight.emitError() << weight.getFile() << ": weight '" << weight.getSymName()
                                  << "': " << status.error().message;
      }
      done += bytesOf(fold);
      if (calibration.progress)
        calibration.progress(done, total, describe(fold, **runner));
    }
    if (Status status = (*file)->commit(); !status)
      return module.emitError(status.error().message);
    return success();
  }

  /// "block 3/6, columns of model.layers.2.mlp.up_proj.weight".
  static std::string describe(const ScaleFold &fold, const calibrate::BlockRunner &runner) {
    const auto [block, blocks] = runner.block();
    WeightOp first = fold.readers.front().weight;
    return llvm::formatv("block {0}/{1}, columns of {2}", block, blocks, first.getSymName()).str();
  }

  /// Of the weights that take the factors.
  static int64_t bytesOf(const ScaleFold &fold) {
    int64_t bytes = 0;
    for (const FoldedWeight &reader : fold.readers) {
      WeightOp weight = reader.weight;
      bytes += storedBytes(weight, cast<WeightType>(weight.getType()).getFormat().getValue());
    }
    return bytes;
  }

  Status foldOne(const ScaleFold &fold, calibrate::BlockRunner &runner, WorkFile &file) {
    Expected<std::vector<float>> factors = factorsOf(fold, runner);
    if (!factors)
      return factors.error();
    std::vector<float> inverses(factors->size());
    std::ranges::transform(*factors, inverses.begin(), [](float factor) { return 1 / factor; });
    Expected<WeightOp> columns = name(fold, ".factors", *factors, file);
    if (!columns)
      return columns.error();
    Expected<WeightOp> rows = name(fold, ".inverses", inverses, file);
    if (!rows)
      return rows.error();
    for (const FoldedWeight &reader : fold.readers)
      derive<ScaleColumnsOp>(reader, *columns);
    for (const FoldedWeight &producer : fold.producers)
      derive<ScaleRowsOp>(producer, *rows);
    return {};
  }

  /// Those of the journal, or chosen now.
  Expected<std::vector<float>> factorsOf(const ScaleFold &fold, calibrate::BlockRunner &runner) {
    WeightOp first = fold.readers.front().weight;
    const std::string key = (method + " " + first.getSymName()).str();
    if (calibration.journal && calibration.journal->contains(key)) {
      Expected<std::vector<std::byte>> bytes = calibration.journal->read(key);
      if (!bytes)
        return bytes.error();
      const auto *values = reinterpret_cast<const float *>(bytes->data());
      return std::vector<float>(values, values + fold.channels);
    }
    auto statistics = runner.observe(first.getSymName());
    if (!statistics)
      return statistics.error();
    if ((*statistics)->columns != fold.channels)
      return Error{"the statistics are of " + std::to_string((*statistics)->columns) + " columns, the weight has " +
                   std::to_string(fold.channels)};
    Expected<std::vector<float>> chosen = choose(fold, **statistics, runner);
    if (chosen && calibration.journal)
      if (Status kept = calibration.journal->append(key, std::as_bytes(std::span(*chosen))); !kept)
        return kept.error();
    return chosen;
  }

  /// A new weight with these elements, beside the fold's first reader.
  Expected<WeightOp> name(const ScaleFold &fold, StringRef suffix, std::span<const float> elements, WorkFile &file) {
    WeightOp beside = fold.readers.front().weight;
    const uint64_t offset = file.reserve(elements.size_bytes());
    if (Status written = file.writeAt(offset, std::as_bytes(elements)); !written)
      return written.error();
    MLIRContext *context = module.getContext();
    auto plain = FormatAttr::get(context, formats::Format::plain(formats::Scalar::F32));
    OpBuilder builder(context);
    auto weight = WeightOp::create(builder, beside.getLoc(), (beside.getSymName() + suffix).str(),
                                   WeightType::get(context, {fold.channels}, plain), file.path(), offset,
                                   /*transposed=*/false);
    symbols.insert(weight, std::next(Block::iterator(beside)));
    return weight;
  }

  template <class Derivation> void derive(const FoldedWeight &folded, WeightOp factors) {
    OpBuilder builder(folded.place->getOwner());
    WeightOp weight = folded.weight;
    Value handle = GetOp::create(builder, weight.getLoc(), factors.getType(), factors.getSymName());
    folded.place->set(Derivation::create(builder, weight.getLoc(), folded.place->get(), handle));
    rewrote(weight.getLoc(), method) << remark::metric("weight", weight.getSymName());
  }

  /// What waits for the method now waits for what comes after it.
  void finish() {
    module.walk([&](LinearOp linear) {
      if (!linear.getMethodAttr())
        return;
      const auto [next, rest] = linear.getMethodAttr().getValue().split(',');
      if (next == method)
        linear.setMethodAttr(rest.empty() ? StringAttr() : StringAttr::get(module.getContext(), rest));
    });
  }

  ModuleOp module;
  SymbolTable symbols;
  StringRef method;
  const CalibrationRun &calibration;
  const ChooseScale &choose;
};

} // namespace

LogicalResult quantize::foldScales(ModuleOp module, StringRef method, const std::string &work,
                                   const CalibrationRun &run, const ChooseScale &choose) {
  return FoldingLoop(module, method, run, choose).run(work);
}
