// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The families of processors, and what LLVM knows of a target.
#include "passes/targets/Families.h"

#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::targets;

ArrayRef<const Architecture *> targets::families() {
  static const Architecture *const all[] = {&x86, &arm};
  return all;
}

static llvm::Triple::ArchType archOf(StringRef triple) { return llvm::Triple(triple).getArch(); }

const Architecture &targets::architectureOf(kernel::TargetAttr target) {
  for (const Architecture *family : families())
    if (archOf(family->triple) == archOf(target.getTriple()))
      return *family;
  return portable;
}

std::string targets::familyName(kernel::TargetAttr target) {
  return llvm::Triple(target.getTriple()).getArchName().str();
}

std::unique_ptr<llvm::MCSubtargetInfo> targets::subtarget(StringRef triple, StringRef cpu, StringRef features) {
  static const bool initialized = [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargetMCs();
    return true;
  }();
  (void)initialized;
  std::string error;
  llvm::Triple parsed(triple);
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(parsed, error);
  if (!target)
    return nullptr;
  return std::unique_ptr<llvm::MCSubtargetInfo>(target->createMCSubtargetInfo(parsed, cpu, features));
}

bool targets::hasFeatures(kernel::TargetAttr target, StringRef features) {
  if (features.empty())
    return true;
  auto info = subtarget(target.getTriple(), target.getCpu(), target.getFeatures());
  SmallVector<StringRef> names;
  features.split(names, ',');
  return info && llvm::all_of(names, [&](StringRef name) { return info->checkFeatures(("+" + name).str()); });
}

bool targets::canFuse(kernel::TargetAttr target) {
  const StringRef feature = architectureOf(target).fuses;
  return !feature.empty() && hasFeatures(target, feature);
}

const VectorWidth &targets::widthOf(kernel::TargetAttr target) {
  const ArrayRef<VectorWidth> widths = architectureOf(target).widths;
  return *llvm::find_if(widths, [&](const VectorWidth &width) { return hasFeatures(target, width.features); });
}

kernel::TargetAttr targets::targetFor(MLIRContext &context, const Architecture &family, StringRef cpu,
                                      StringRef features) {
  context.getOrLoadDialect<kernel::KernelDialect>();
  auto target = kernel::TargetAttr::get(&context, family.triple, cpu, features, 128);
  return kernel::TargetAttr::get(&context, family.triple, cpu, features, widthOf(target).bits);
}

kernel::TargetAttr targets::targetOf(Operation *op) {
  for (; op && !isa<ModuleOp>(op); op = op->getParentOp())
    if (auto target = op->getAttrOfType<kernel::TargetAttr>(kernel::targetAttrName))
      return target;
  if (auto target = op->getAttrOfType<kernel::TargetAttr>(kernel::targetAttrName))
    return target;
  const Architecture *family = families().front();
  if (auto several = op->getAttrOfType<ArrayAttr>(kernel::targetsAttrName); several && !several.empty())
    if (auto first = dyn_cast<kernel::TargetAttr>(several[0]))
      family = &architectureOf(first);
  return targetFor(*op->getContext(), *family, family->cpu, "");
}

FailureOr<SmallVector<kernel::TargetAttr>> targets::targetsOf(ModuleOp module) {
  Attribute several = module->getAttr(kernel::targetsAttrName);
  if (!several)
    return SmallVector<kernel::TargetAttr>{targetOf(module)};
  auto all = dyn_cast<ArrayAttr>(several);
  if (!all || all.empty() || !llvm::all_of(all, llvm::IsaPred<kernel::TargetAttr>))
    return module.emitError(kernel::targetsAttrName) << " is " << several << ", not a list of targets";
  return llvm::map_to_vector(all, [](Attribute target) { return cast<kernel::TargetAttr>(target); });
}
