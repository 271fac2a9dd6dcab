// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Types, attributes and uses of weights, gathered.
#include "passes/WeightReport.h"

#include "dialects/lowbit/WeightOrder.h"
#include "dialects/lowbit/WeightUses.h"
#include "lib/formats/Packing.h"
#include "passes/ModuleFormats.h"
#include "passes/targets/Target.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace halftone::lowbit;

namespace halftone {
namespace {

class Reporter {
public:
  Reporter(ModuleOp module, bool reference)
      : module(module), uses(module), head(findHead(module)), reference(reference) {
    if (const FailureOr<SmallVector<kernel::TargetAttr>> all = targets::targetsOf(module); succeeded(all))
      targets = *all;
  }

  std::vector<report::Tensor> all() {
    llvm::SetVector<Operation *> weights;
    for (WeightOp weight : linearWeightsInOrder(module))
      weights.insert(weight);
    for (WeightOp weight : module.getOps<WeightOp>())
      weights.insert(weight);
    std::vector<report::Tensor> tensors;
    for (Operation *weight : weights)
      if (!uses.of(cast<WeightOp>(weight)).empty()) // others were derived from it
        tensors.push_back(tensorOf(cast<WeightOp>(weight)));
    return tensors;
  }

private:
  report::Tensor tensorOf(WeightOp weight) const {
    const auto type = cast<WeightType>(weight.getType());
    const formats::Format &format = type.getFormat().getValue();
    report::Tensor tensor;
    tensor.name = weight.getSymName().str();
    tensor.shape.assign(type.getShape().begin(), type.getShape().end());
    tensor.role = roleOf(weight);
    tensor.format = formats::name(format);
    tensor.bytes = type.storedBytes();
    tensor.weightError = real(weight, "error");
    tensor.outputError = real(weight, "output_error");
    tensor.divergence = real(weight, "divergence");
    tensor.damp = real(weight, "damp");
    tensor.condition = real(weight, "condition");
    tensor.deadColumns = count(weight, "dead_columns");
    tensor.rareColumns = count(weight, "rare_columns");
    if (uses.isDecoded(weight)) {
      tensor.kernel = kernelFor(format);
      tensor.fallback = fallbackOf(format);
    }
    return tensor;
  }

  static std::optional<double> real(WeightOp weight, StringRef name) {
    const auto value = weight->getAttrOfType<FloatAttr>(name);
    return value ? std::optional(value.getValueAsDouble()) : std::nullopt;
  }

  static std::optional<uint64_t> count(WeightOp weight, StringRef name) {
    const auto value = weight->getAttrOfType<IntegerAttr>(name);
    return value ? std::optional<uint64_t>(value.getInt()) : std::nullopt;
  }

  report::Role roleOf(WeightOp weight) const {
    report::Role role = report::Role::Other;
    for (OpOperand *use : uses.of(weight)) {
      if (head && use->getOwner() == head)
        return report::Role::Head;
      if (isa<LinearOp>(use->getOwner()))
        role = report::Role::Linear;
      else if (isa<EmbeddingOp>(use->getOwner()) && role == report::Role::Other)
        role = report::Role::Embedding;
    }
    return role;
  }

  /// The dot instructions that choose-kernels takes for `format`, for each processor.
  std::string kernelFor(const formats::Format &format) const {
    if (reference)
      return "reference";
    std::string names;
    for (kernel::TargetAttr target : targets)
      names += (names.empty() ? "" : ", ") + targets::chooseDot(target, format).name.str();
    return names;
  }

  /// Of the best processor; the others are there because it may be missing.
  std::string fallbackOf(const formats::Format &format) const {
    if (reference || targets.empty())
      return reference ? "plain loops, as asked for" : "";
    const std::string why = targets::portableBecause(targets.front(), format);
    return why.empty() ? "" : formats::name(format) + " by portable arithmetic, " + why;
  }

  ModuleOp module;
  WeightUses uses;
  Operation *head; ///< null when there is none
  bool reference;
  SmallVector<kernel::TargetAttr> targets;
};

} // namespace

std::vector<report::Tensor> reportWeights(ModuleOp module, bool reference) { return Reporter(module, reference).all(); }

} // namespace halftone
