// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The condition that the quantize stage leaves behind.
#include "dialects/lowbit/WeightUses.h"
#include "passes/quantize/Decision.h"
#include "passes/quantize/Passes.h"

using namespace mlir;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_VERIFYQUANTIZED
#include "passes/quantize/Passes.h.inc"

namespace {

/// The name of the weight behind `handle`, or the number of the argument that brings it.
std::string describe(Value handle) {
  if (auto get = handle.getDefiningOp<GetOp>())
    return "weight '" + get.getName().str() + "'";
  if (auto argument = dyn_cast<BlockArgument>(handle))
    return "weight of argument " + std::to_string(argument.getArgNumber());
  return "derived weight";
}

LogicalResult verifyReader(Operation *op, TypedValue<WeightType> weight, FormatAttr format, StringAttr method) {
  FormatAttr actual = weight.getType().getFormat();
  if (!format)
    return op->emitOpError() << "no format was assigned to its " << describe(weight);
  if (method)
    return op->emitOpError() << "its " << describe(weight) << " still waits for " << method;
  if (format != actual)
    return op->emitOpError() << "its " << describe(weight) << " is " << formats::name(actual.getValue())
                             << ", but was to be " << formats::name(format.getValue());
  if (op->hasAttr(quantize::activationsAttrName))
    return op->emitOpError() << "its activations are not " << op->getAttr(quantize::activationsAttrName) << " yet";
  return success();
}

class VerifyQuantizedPass : public impl::VerifyQuantizedBase<VerifyQuantizedPass> {
public:
  using VerifyQuantizedBase::VerifyQuantizedBase;

  void runOnOperation() override {
    bool failed = false;
    getOperation().walk([&](Operation *op) {
      LogicalResult result = success();
      if (auto linear = dyn_cast<LinearOp>(op))
        result = verifyReader(op, linear.getWeight(), linear.getFormatAttr(), linear.getMethodAttr());
      else if (auto embedding = dyn_cast<EmbeddingOp>(op))
        result = verifyReader(op, embedding.getTable(), embedding.getFormatAttr(), embedding.getMethodAttr());
      else if (isDerivation(op))
        result = op->emitOpError("is still to be evaluated");
      failed |= result.failed();
    });
    if (failed)
      signalPassFailure();
  }
};

} // namespace
} // namespace halftone
