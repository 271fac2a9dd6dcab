// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Puts the activation contract in front of linears.
#include "lib/formats/Table.h"
#include "passes/Remarks.h"
#include "passes/quantize/Decision.h"
#include "passes/quantize/Passes.h"

#include "llvm/ADT/DenseMap.h"

using namespace mlir;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_CONTRACTACTIVATIONS
#include "passes/quantize/Passes.h.inc"

namespace {

class ContractActivationsPass : public impl::ContractActivationsBase<ContractActivationsPass> {
public:
  using ContractActivationsBase::ContractActivationsBase;

  void runOnOperation() override {
    WalkResult result = getOperation()->walk([&](LinearOp linear) { return WalkResult(contract(linear)); });
    if (result.wasInterrupted())
      return signalPassFailure();
    activations.clear();
  }

private:
  LogicalResult contract(LinearOp linear) {
    auto element = linear->getAttrOfType<StringAttr>(quantize::activationsAttrName);
    if (!element)
      return success();
    const formats::Element *row = formats::findElement(element.getValue());
    if (!row || (!row->code.isBalanced() && row->code != formats::Code::floating(formats::Scalar::BF16)))
      return linear.emitOpError("activations cannot be ") << element << ": they are integers of 8 bits, or bf16";
    const formats::Format &weight = linear.getWeight().getType().getFormat().getValue();
    if (weight.isPlain() && row->code.isBalanced())
      return linear.emitOpError("its weight is plain, ")
             << linear.getWeight().getType() << ", so its activations have no blocks";
    if (!weight.isPlain() && !row->code.isBalanced())
      return linear.emitOpError("its weight has codes, ")
             << linear.getWeight().getType() << ", so its activations are integers, not " << element;
    if (isa<ActivationType>(linear.getInput().getType()))
      return linear.emitOpError("its activations are contracted already");
    const formats::Format format =
        weight.isPlain() ? formats::Format{row->code} : formats::Format{row->code, weight.block, formats::Scalar::F32};
    linear.getInputMutable().assign(activation(linear.getInput(), FormatAttr::get(&getContext(), format)));
    rewrote(linear.getLoc(), "contract-activations") << remark::metric("format", formats::name(format));
    linear->removeAttr(quantize::activationsAttrName);
    return success();
  }

  /// `value` in `format`, quantized where it is produced.
  Value activation(Value value, FormatAttr format) {
    Value &result = activations[{value, format}];
    if (result)
      return result;
    OpBuilder builder(&getContext());
    builder.setInsertionPointAfterValue(value);
    auto type = ActivationType::get(&getContext(), cast<ShapedType>(value.getType()).getShape(), format);
    return result = QuantizeActivationOp::create(builder, value.getLoc(), type, value);
  }

  DenseMap<std::pair<Value, Attribute>, Value> activations;
};

} // namespace
} // namespace halftone
