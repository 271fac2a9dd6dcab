// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What all quantizing passes do around their mathematics.
#include "passes/quantize/WeightTask.h"

#include "dialects/lowbit/OriginalWeight.h"
#include "lib/formats/Packing.h"
#include "passes/Remarks.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;
using namespace halftone::quantize;

/// The relative error from which on less than three quarters of a weight's energy are left.
static constexpr double tooMuchError = 0.5;

static WeightType typeOf(WeightOp weight) { return cast<WeightType>(weight.getType()); }

int64_t WeightTask::sourceBytes() const { return typeOf(weight).storedBytes(); }

void WeightTask::warnOfLoss() const {
  if (error <= tooMuchError && vanishedBlocks == 0)
    return;
  WeightOp lost = weight;
  InFlightDiagnostic warning = lost.emitWarning();
  warning << lost.getFile() << ": weight '" << lost.getSymName() << "' loses much as "
          << formats::name(format.getValue()) << ": the relative error is " << llvm::formatv("{0:f3}", error).str();
  if (vanishedBlocks != 0)
    warning << ", " << vanishedBlocks << " blocks that are not zero have the scale 0";
}

void WeightTask::rename(StringRef work, StringRef pass) {
  Builder builder(weight.getContext());
  noteOriginal(weight);
  auto type = WeightType::get(weight.getContext(), typeOf(weight).getShape(), format);
  weight.setTypeAttr(TypeAttr::get(type));
  weight.setFile(work);
  weight.setOffset(offset);
  weight.setTransposed(false);
  weight->setAttr("error", builder.getF64FloatAttr(error));
  rewrote(weight.getLoc(), pass) << remark::metric("weight", weight.getSymName())
                                 << remark::metric("format", formats::name(format.getValue()))
                                 << remark::metric("error", error);
}

FailureOr<std::optional<WeightTask>> WaitingWeights::of(WeightOp weight) {
  WantedFormat wanted;
  const FormatAttr current = typeOf(weight).getFormat();
  for (OpOperand *use : uses.of(weight)) {
    const Decision decision = decisionOf(*use);
    if (!decision.format || (decision.method && decision.method != method))
      continue;
    if (decision.format == current) { // derived in it, since it was decided
      acted.insert(use->getOwner());
      continue;
    }
    wanted.add(*use);
    acted.insert(use->getOwner());
  }
  if (wanted.hasConflict())
    return wanted.report(weight);
  if (!wanted.get())
    return std::optional<WeightTask>();
  if (!current.getValue().isPlain())
    return weight.emitError() << weight.getFile() << ": weight '" << weight.getSymName() << "' is " << typeOf(weight)
                              << ": only plain weights can be quantized";
  return std::optional(WeightTask{weight, wanted.get()});
}

bool WaitingWeights::servesLinearsOnly(WeightOp weight) const {
  return llvm::none_of(uses.of(weight),
                       [](OpOperand *use) { return decisionOf(*use).format && !isa<LinearOp>(use->getOwner()); });
}

LogicalResult WaitingWeights::checkAllReached(ModuleOp module) const {
  WalkResult result = module.walk([&](Operation *op) {
    auto waitsFor = op->getAttrOfType<StringAttr>("method");
    if (!isa<LinearOp, EmbeddingOp>(op) || !waitsFor || waitsFor != method || acted.contains(op))
      return WalkResult::advance();
    op->emitOpError("waits for ") << waitsFor << ", but no lowbit.weight reaches it: derived weights are to be "
                                  << "evaluated first";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

void WaitingWeights::finish() {
  for (Operation *op : acted)
    op->removeAttr("method");
}
