// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Decides schedules and layouts from the target's table of dot instructions.
#include "dialects/lowbit/Facts.h"
#include "dialects/lowbit/WeightUses.h"
#include "passes/Remarks.h"
#include "passes/lower/Passes.h"
#include "passes/targets/Target.h"

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

/// What number-kernels wrote down, and to which is added by which instruction a kernel multiplies on each target.
class Sites {
public:
  Sites(ModuleOp module, size_t targets) : module(module) {
    if (auto written = module->getAttrOfType<ArrayAttr>(facts::sites))
      for (auto entry : written.getAsRange<DictionaryAttr>())
        all.push_back({entry, SmallVector<Attribute>(targets, StringAttr::get(module.getContext(), ""))});
  }

  void setDot(KernelOp kernel, size_t target, StringAttr dot) {
    auto number = kernel->getAttrOfType<IntegerAttr>(kernel::siteAttrName);
    if (number && number.getInt() >= 0 && number.getInt() < static_cast<int64_t>(all.size()))
      all[number.getInt()].dots[target] = dot;
  }

  void write() {
    Builder builder(module.getContext());
    SmallVector<Attribute> entries;
    for (const Site &site : all) {
      NamedAttrList entry(site.entry);
      entry.set("dots", builder.getArrayAttr(site.dots));
      entries.push_back(entry.getDictionary(module.getContext()));
    }
    if (!all.empty())
      module->setAttr(facts::sites, builder.getArrayAttr(entries));
  }

private:
  struct Site {
    DictionaryAttr entry;
    SmallVector<Attribute> dots;
  };
  ModuleOp module;
  SmallVector<Site> all;
};

class ChooseKernelsPass : public halftone::impl::ChooseKernelsBase<ChooseKernelsPass> {
public:
  using ChooseKernelsBase::ChooseKernelsBase;

  void runOnOperation() override {
    if (reference)
      return unpackWeights();
    ModuleOp module = getOperation();
    const FailureOr<SmallVector<kernel::TargetAttr>> all = targets::targetsOf(module);
    if (failed(all))
      return signalPassFailure();
    int64_t lanes = 0;
    for (kernel::TargetAttr target : *all)
      lanes = std::max(lanes, target.getVector() / 32);
    Builder builder(&getContext());

    Sites sites(module, all->size());
    module.walk([&](KernelOp kernel) {
      kernel::TargetAttr target = targets::targetOf(kernel);
      Value weight = decodedWeight(kernel);
      const auto format = weight ? cast<WeightType>(weight.getType()).getFormat().getValue()
                                 : formats::Format::plain(formats::Scalar::F32);
      StringAttr dot = builder.getStringAttr(targets::chooseDot(target, format).name);
      // The sum of a block and that of a row; plain formats have only the latter.
      const targets::RegisterTile tile = targets::chooseRegisterTile(target, lanes, format.isPlain() ? 1 : 2);
      rewrote(kernel.getLoc(), "choose-kernels")
          << remark::metric("dot", dot.getValue()) << remark::metric("lanes", lanes)
          << remark::metric("tiles", tile.tiles) << remark::metric("tokens", tile.tokens);
      kernel->setAttr(kernel::scheduleAttrName,
                      kernel::ScheduleAttr::get(&getContext(), lanes, tile.tiles, tile.tokens, dot));
      if (weight)
        sites.setDot(kernel, llvm::find(*all, target) - all->begin(), dot);
    });
    sites.write();

    const WeightUses uses(module);
    DenseMap<FormatAttr, kernel::LayoutAttr> layouts;
    for (WeightOp weight : module.getOps<WeightOp>()) {
      if (!uses.isDecoded(weight))
        continue;
      FormatAttr format = cast<WeightType>(weight.getType()).getFormat();
      kernel::LayoutAttr &layout = layouts[format];
      if (!layout) {
        const targets::DotInstruction &dot = targets::chooseDot(all->front(), format.getValue());
        for (kernel::TargetAttr target : *all)
          if (failed(checkOrder(weight, format.getValue(), target, dot)))
            return signalPassFailure();
        layout = kernel::LayoutAttr::get(&getContext(), lanes, dot.group, dot.less);
      }
      weight->setAttr(kernel::layoutAttrName, layout);
    }
  }

private:
  /// All targets read the same bytes.
  static LogicalResult checkOrder(WeightOp weight, const formats::Format &format, kernel::TargetAttr target,
                                  const targets::DotInstruction &first) {
    const targets::DotInstruction &dot = targets::chooseDot(target, format);
    if (dot.group == first.group && dot.less == first.less)
      return success();
    return weight.emitError("targets do not share an order of ")
           << formats::name(format) << ": " << target << " takes " << dot.group << " columns at once, less " << dot.less
           << ", the first one " << first.group << ", less " << first.less;
  }

  /// The reference lowering has no schedule, and reads decoded weights element by element.
  void unpackWeights() {
    const WeightUses uses(getOperation());
    for (WeightOp weight : getOperation().getOps<WeightOp>())
      if (uses.isDecoded(weight))
        weight->setAttr(kernel::layoutAttrName, kernel::UnpackedAttr::get(&getContext()));
  }
};

} // namespace
