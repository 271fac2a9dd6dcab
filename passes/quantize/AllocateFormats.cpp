// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each linear in each format: what it costs in bytes, and what it does to the model's outputs.
#include "dialects/lowbit/StoredWeights.h"
#include "dialects/lowbit/StreamRows.h"
#include "dialects/lowbit/WeightOrder.h"
#include "lib/formats/Codec.h"
#include "lib/formats/Packing.h"
#include "lib/quantize/Budget.h"
#include "lib/quantize/FormatPins.h"
#include "lib/quantize/Imatrix.h"
#include "lib/quantize/VocabularyFormat.h"
#include "passes/Remarks.h"
#include "passes/quantize/CalibratedWeights.h"
#include "passes/quantize/Head.h"
#include "passes/quantize/NamedFormats.h"
#include "passes/quantize/Passes.h"
#include "passes/quantize/Runner.h"

#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_ALLOCATEFORMATS
#include "passes/quantize/Passes.h.inc"

namespace {

/// Rows of an encoded matrix as they decode.
std::vector<float> decoded(const formats::EncodedMatrix &matrix, const matrix::ParallelFor &parallelFor) {
  std::vector<float> values(matrix.rows() * matrix.columns());
  parallelFor(matrix.rows(), [&](int64_t row) {
    formats::decodeRow(matrix.format(), matrix.row(row),
                       std::span(values).subspan(row * matrix.columns(), matrix.columns()));
  });
  return values;
}

class AllocateFormatsPass : public impl::AllocateFormatsBase<AllocateFormatsPass> {
public:
  using AllocateFormatsBase::AllocateFormatsBase;
  AllocateFormatsPass(const AllocateFormatsOptions &options, const CalibrationRun &calibration)
      : AllocateFormatsBase(options), calibration(calibration) {}

  void runOnOperation() override {
    quantize::runOn(data, data, calibration);
    if (failed(readCandidates()))
      return signalPassFailure();
    if (Status done = decide(); !done) {
      getOperation().emitError() << getArgument() << ": " << done.error().message;
      signalPassFailure();
    }
  }

private:
  LogicalResult readCandidates() {
    for (const std::string &name : candidates) {
      Expected<formats::Format> format = formats::parse(name);
      if (!format)
        return getOperation().emitError() << "candidates: " << format.error().message;
      formats.push_back(*format);
    }
    if (formats.empty())
      return getOperation().emitError() << "candidates: there are none";
    embedding = head = quantize::vocabularyFormat(formats.front());
    for (auto &[option, format] : {std::pair(&embeddingFormat, &embedding), {&headFormat, &head}})
      if (!option->empty()) {
        Expected<formats::Format> parsed = formats::parse(option->getValue());
        if (!parsed)
          return getOperation().emitError() << option->getArgStr() << ": " << parsed.error().message;
        *format = *parsed;
      }
    return success();
  }

  /// Weights of linears share the budget; of the others, the bytes that they take of it.
  void survey() {
    llvm::SmallPtrSet<Operation *, 2> heads;
    for (LinearOp head : quantize::isolateHeads(getOperation()))
      heads.insert(head);
    const WeightUses uses(getOperation());
    for (WeightOp weight : linearWeightsInOrder(getOperation())) {
      const SmallVector<OpOperand *> decoders = quantize::decodersOf(weight, uses);
      if (llvm::all_of(decoders, [&](OpOperand *use) {
            return isa<LinearOp>(use->getOwner()) && !heads.contains(use->getOwner());
          }))
        linears.push_back(weight);
    }
    for (WeightOp weight : getOperation().getOps<WeightOp>())
      if (!llvm::is_contained(linears, weight) && !uses.of(weight).empty())
        for (const formats::Format &format : formatsOf(weight, quantize::decodersOf(weight, uses), heads))
          otherBytes += storedBytes(weight, format);
  }

  /// The formats that embedding and head will want this weight in, or its own.
  std::vector<formats::Format> formatsOf(WeightOp weight, ArrayRef<OpOperand *> decoders,
                                         const llvm::SmallPtrSetImpl<Operation *> &heads) const {
    std::vector<formats::Format> result;
    const auto add = [&](const formats::Format &format) {
      if (llvm::find(result, format) == result.end())
        result.push_back(format);
    };
    if (FormatAttr named = quantize::namedFormat(weight))
      return {named.getValue()};
    for (OpOperand *use : decoders)
      add(heads.contains(use->getOwner()) ? head : isa<EmbeddingOp>(use->getOwner()) ? embedding : formats.back());
    if (result.empty())
      result.push_back(cast<WeightType>(weight.getType()).getFormat().getValue());
    return result;
  }

  /// What the linears may take.
  Expected<uint64_t> budget() {
    uint64_t elements = 0;
    for (WeightOp weight : linears)
      elements += storedRows(weight) * storedColumns(weight);
    if (bits > 0)
      return static_cast<uint64_t>(bits * static_cast<double>(elements) / 8);
    if (static_cast<uint64_t>(size) < otherBytes)
      return Error{"embedding, head and norms alone take " + std::to_string(otherBytes) + " bytes, " +
                   std::to_string(size) + " are allowed"};
    return size - otherBytes;
  }

  /// The formats that a weight may get.
  std::vector<formats::Format> choicesOf(WeightOp weight) const {
    FormatAttr named = quantize::namedFormat(weight);
    return named ? std::vector{named.getValue()} : formats;
  }

  Status checkSmallest(uint64_t allowed) const {
    std::vector<std::vector<quantize::Choice>> items;
    for (WeightOp weight : linears) {
      items.emplace_back();
      for (const formats::Format &format : choicesOf(weight))
        items.back().push_back({storedBytes(weight, format), 0});
    }
    const auto any = quantize::allocate(items, allowed);
    return any ? Status() : Error{"linears: " + any.error().message};
  }

  Status decide() {
    survey();
    Expected<uint64_t> allowed = budget();
    if (!allowed)
      return allowed.error();
    if (Status fits = checkSmallest(*allowed); !fits) // before the work, not after
      return fits;
    Expected<std::vector<std::vector<quantize::Choice>>> items = measure();
    if (!items)
      return items.error();
    Expected<quantize::Allocation> allocation = quantize::allocate(*items, *allowed);
    if (!allocation)
      return Error{"linears: " + allocation.error().message};
    record(*allocation);
    return {};
  }

  /// Names the formats, and says on the module how a user would.
  void record(const quantize::Allocation &allocation) {
    std::vector<std::string> names;
    std::vector<formats::Format> chosen;
    for (auto [weight, choice] : llvm::zip(linears, allocation.chosen)) {
      if (!quantize::namedFormat(weight))
        quantize::setNamedFormat(weight, FormatAttr::get(&getContext(), formats[choice]));
      names.push_back(quantize::originalName(weight).str());
      chosen.push_back(quantize::namedFormat(weight).getValue());
      rewrote(weight.getLoc(), getArgument())
          << remark::metric("weight", names.back()) << remark::metric("format", formats::name(chosen.back()));
    }
    std::string text = quantize::optionsFor(names, chosen);
    if (allocation.gap > 0)
      text += llvm::formatv("  (at most {0:f2} % from the best)", 100 * allocation.gap).str();
    getOperation()->setAttr(allocationAttrName, StringAttr::get(&getContext(), text));
  }

  /// What each weight costs in each format.
  Expected<std::vector<std::vector<quantize::Choice>>> measure() {
    auto runner = calibration.makeRunner(getOperation(), {calibrate::Gather::magnitude | calibrate::Gather::hessian});
    if (!runner)
      return runner.error();
    auto divergence = calibration.makeDivergence(getOperation(), tokens);
    if (!divergence)
      return divergence.error();
    std::vector<std::vector<quantize::Choice>> items;
    for (WeightOp weight : linears) {
      if (FormatAttr named = quantize::namedFormat(weight)) {
        items.push_back({{storedBytes(weight, named.getValue()), 0}});
        continue;
      }
      Expected<std::vector<double>> damages = damagesOf(weight, **runner, **divergence);
      if (!damages)
        return Error{"weight '" + weight.getSymName().str() + "': " + damages.error().message};
      std::vector<quantize::Choice> &item = items.emplace_back();
      for (auto [format, damage] : llvm::zip(formats, *damages))
        item.push_back({storedBytes(weight, format), damage});
      if (calibration.progress)
        calibration.progress(items.size(), linears.size(), ("formats for " + weight.getSymName()).str());
    }
    return items;
  }

  /// Those of the journal, or measured now.
  Expected<std::vector<double>> damagesOf(WeightOp weight, calibrate::BlockRunner &runner,
                                          calibrate::Divergence &divergence) {
    const std::string key = (getArgument() + " " + weight.getSymName()).str();
    if (calibration.journal && calibration.journal->contains(key)) {
      Expected<std::vector<std::byte>> bytes = calibration.journal->read(key);
      if (!bytes)
        return bytes.error();
      const auto *values = reinterpret_cast<const double *>(bytes->data());
      return std::vector<double>(values, values + formats.size());
    }
    auto statistics = runner.observe(weight.getSymName());
    if (!statistics)
      return statistics.error();
    Expected<std::vector<double>> damages = tryAll(weight, *statistics, divergence);
    if (damages && calibration.journal)
      if (Status kept = calibration.journal->append(key, std::as_bytes(std::span(*damages))); !kept)
        return kept.error();
    return damages;
  }

  /// As a method would that has these statistics: GPTQ with a Hessian, else to nearest on scales searched.
  Expected<quantize::GptqResult> round(const formats::Format &format, matrix::MatrixView<const float> weights,
                                       const std::shared_ptr<calibrate::Statistics> &statistics) {
    const auto threads = quantize::threadsOf(&getContext());
    if (statistics->hessian.empty())
      return quantize::imatrix(format, weights, statistics->meanSquare, {}, threads);
    if (factorOf != statistics) {
      const int64_t columns = statistics->columns;
      auto made = quantize::HessianFactor::compute({statistics->hessian.data(), columns, columns}, {}, threads);
      if (!made)
        return made.error();
      factor.emplace(std::move(*made));
      factorOf = statistics;
    }
    quantize::GptqOptions options;
    options.search = quantize::GridSearchOptions();
    return quantize::gptq(format, weights, *factor, options, threads);
  }

  /// The divergence of the model with the weight alone in each format.
  Expected<std::vector<double>> tryAll(WeightOp weight, const std::shared_ptr<calibrate::Statistics> &statistics,
                                       calibrate::Divergence &divergence) {
    Expected<std::vector<float>> values = readAll(source, weight);
    if (!values)
      return values.error();
    const auto threads = quantize::threadsOf(&getContext());
    const matrix::MatrixView<const float> view(values->data(), storedRows(weight), storedColumns(weight));
    std::vector<double> damages;
    for (const formats::Format &format : formats) {
      Expected<quantize::GptqResult> rounded = round(format, view, statistics);
      if (!rounded)
        return rounded.error();
      const std::vector<float> trial = decoded(rounded->matrix, threads);
      Expected<double> damage = divergence.with({weight.getSymName().str(), trial});
      if (!damage)
        return damage.error();
      damages.push_back(*damage);
    }
    return damages;
  }

  CalibrationRun calibration;
  std::optional<quantize::HessianFactor> factor; ///< of the Hessian in `factorOf`, whose memory it uses
  std::shared_ptr<calibrate::Statistics> factorOf;
  std::vector<formats::Format> formats;
  formats::Format embedding, head;
  SmallVector<WeightOp> linears;
  uint64_t otherBytes = 0; ///< of what is not in `linears`
  StoredWeights source;
};

} // namespace

std::unique_ptr<Pass> createAllocateFormats(const AllocateFormatsOptions &options, const CalibrationRun &run) {
  return std::make_unique<AllocateFormatsPass>(options, run);
}
} // namespace halftone
