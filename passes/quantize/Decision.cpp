// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading decisions, and saying which two contradict each other.
#include "passes/quantize/Decision.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

quantize::Decision quantize::decisionOf(OpOperand &use) {
  if (auto linear = dyn_cast<LinearOp>(use.getOwner()); linear && &use == &linear.getWeightMutable())
    return {linear.getFormatAttr(), linear.getMethodAttr()};
  if (auto embedding = dyn_cast<EmbeddingOp>(use.getOwner()); embedding && &use == &embedding.getTableMutable())
    return {embedding.getFormatAttr(), embedding.getMethodAttr()};
  return {};
}

void quantize::WantedFormat::add(OpOperand &use) {
  FormatAttr wanted = decisionOf(use).format;
  if (!wanted)
    return;
  if (!format) {
    format = wanted;
    first = use.getOwner();
  } else if (wanted != format && !second) {
    second = use.getOwner();
  }
}

/// `int8-g32 by lowbit.embedding`.
static std::string describe(Operation *op) {
  auto format = op->getAttrOfType<FormatAttr>("format");
  return formats::name(format.getValue()) + " by " + op->getName().getStringRef().str();
}

LogicalResult quantize::WantedFormat::report(WeightOp weight) const {
  InFlightDiagnostic error = weight.emitError()
                             << weight.getFile() << ": weight '" << weight.getSymName() << "' is wanted as "
                             << describe(first) << " and as " << describe(second)
                             << ": give both one format, or untie them (--untie)";
  error.attachNote(first->getLoc()) << "the first reader";
  error.attachNote(second->getLoc()) << "the second reader";
  return error;
}

quantize::WantedFormat quantize::wantedFormat(ArrayRef<OpOperand *> uses) {
  WantedFormat wanted;
  for (OpOperand *use : uses)
    wanted.add(*use);
  return wanted;
}
