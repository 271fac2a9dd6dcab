// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Decides schedules and layouts from the target's table of dot instructions.
#include "dialects/lowbit/WeightUses.h"
#include "passes/codegen/targets/Target.h"
#include "passes/lower/Passes.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_CHOOSEKERNELS
#include "passes/lower/Passes.h.inc"
} // namespace halftone

namespace {

/// The weight a kernel decodes, or null: its first matrix product's or its embedding's.
Value decodedWeight(KernelOp kernel) {
  for (Operation &op : kernel.getBody().front()) {
    if (auto linear = dyn_cast<LinearOp>(op))
      return linear.getWeight();
    if (auto embedding = dyn_cast<EmbeddingOp>(op))
      return embedding.getTable();
  }
  return {};
}

class ChooseKernelsPass : public halftone::impl::ChooseKernelsBase<ChooseKernelsPass> {
public:
  using ChooseKernelsBase::ChooseKernelsBase;

  void runOnOperation() override {
    if (reference)
      return unpackWeights();
    ModuleOp module = getOperation();
    kernel::TargetAttr target = targets::targetOf(module);
    const int64_t lanes = target.getVector() / 32;
    Builder builder(&getContext());

    module.walk([&](KernelOp kernel) {
      Value weight = decodedWeight(kernel);
      const auto format = weight ? cast<WeightType>(weight.getType()).getFormat().getValue()
                                 : formats::Format::plain(formats::Scalar::F32);
      StringAttr dot = builder.getStringAttr(targets::chooseDot(target, format).name);
      kernel->setAttr(kernel::scheduleAttrName, kernel::ScheduleAttr::get(&getContext(), lanes, tokens, dot));
    });

    for (WeightOp weight : module.getOps<WeightOp>()) {
      if (!isDecoded(weight))
        continue;
      const formats::Format &format = cast<WeightType>(weight.getType()).getFormat().getValue();
      weight->setAttr(kernel::layoutAttrName,
                      kernel::LayoutAttr::get(&getContext(), lanes, targets::chooseDot(target, format).group));
    }
  }

private:
  /// The reference lowering has no schedule, and reads decoded weights element by element.
  void unpackWeights() {
    for (WeightOp weight : getOperation().getOps<WeightOp>())
      if (isDecoded(weight))
        weight->setAttr(kernel::layoutAttrName, kernel::UnpackedAttr::get(&getContext()));
  }
};

} // namespace
