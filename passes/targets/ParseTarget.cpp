// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A target as users write it.
#include "passes/targets/Families.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::targets;

/// The features of the processor this runs on that differ from those its name implies: hypervisors hide some.
static std::string hostFeatures() {
  std::vector<std::string> features;
  for (const auto &[name, has] : llvm::sys::getHostCPUFeatures())
    features.push_back((has ? "+" : "-") + name.str());
  llvm::sort(features);
  return llvm::join(features, ",");
}

/// The families' names for a message: "x86_64 or aarch64".
static std::string familyNames() {
  return llvm::join(
      llvm::map_range(families(), [](auto *family) { return llvm::Triple(family->triple).getArchName().str(); }),
      " or ");
}

static Error unknown(StringRef kind, StringRef name, StringRef where) {
  return {(kind + " '" + name + "' is not one that LLVM knows for " + where).str()};
}

/// The family that has a processor of that name, or null.
static const Architecture *familyOf(StringRef cpu) {
  for (const Architecture *family : families()) {
    auto info = subtarget(family->triple, "", ""); // LLVM prints on an unknown processor, so it is asked first
    if (info && info->isCPUStringValid(cpu))
      return family;
  }
  return nullptr;
}

/// Whether LLVM has a feature of that name.
static bool isKnown(const llvm::MCSubtargetInfo &info, StringRef feature) {
  return llvm::any_of(info.getAllProcessorFeatures(), [&](const auto &entry) { return feature == entry.Key; });
}

namespace {
/// A target's name in its parts.
struct Named {
  std::string cpu;
  /// Null until it is known.
  const Architecture *family;
  /// "+avx512vnni", "-fma".
  SmallVector<std::string> features;
};
} // namespace

/// A processor's name may hold dashes, so features begin at the first plus or comma: cpu+a+b, cpu+a,-b, cpu,-b.
static Named split(StringRef text) {
  Named named = {text.take_until([](char c) { return c == '+' || c == ','; }).str(), nullptr, {}};
  std::string features;
  for (char c : text.drop_front(named.cpu.size()))
    features += c == '+' ? std::string(",+") : std::string(1, c);
  SmallVector<StringRef> names;
  StringRef(features).split(names, ',', -1, /*KeepEmpty=*/false);
  for (StringRef name : names)
    named.features.push_back(name.str());
  return named;
}

/// A level's name as the plainest processor with its feature.
static void replaceLevel(Named &named) {
  for (const Architecture *family : families())
    for (const Level &level : family->levels)
      if (level.name == named.cpu) {
        named.cpu = family->cpu.str();
        named.family = family;
        named.features.insert(named.features.begin(), ("+" + level.feature).str());
        return;
      }
}

Expected<kernel::TargetAttr> targets::parseTarget(MLIRContext &context, StringRef text) {
  Named named = split(text);
  replaceLevel(named);
  std::string features;
  if (named.cpu == "native") {
    features = hostFeatures();
    named.cpu = llvm::sys::getHostCPUName().str();
  }
  if (!named.family)
    named.family = familyOf(named.cpu);
  if (!named.family)
    return unknown("processor", named.cpu, familyNames());
  const llvm::Triple triple(named.family->triple);
  auto info = subtarget(triple.str(), "", "");
  for (const std::string &name : named.features)
    if ((name.front() != '+' && name.front() != '-') || !isKnown(*info, StringRef(name).drop_front()))
      return unknown("feature", name, triple.getArchName());
  for (const std::string &name : named.features)
    features += (features.empty() ? "" : ",") + name;
  return targetFor(context, *named.family, named.cpu, features);
}

Expected<SmallVector<kernel::TargetAttr>> targets::parseTargets(MLIRContext &context, StringRef text) {
  SmallVector<StringRef> parts;
  text.split(parts, ',');
  SmallVector<std::string> names;
  for (StringRef part : parts)
    if (!names.empty() && (part.starts_with("+") || part.starts_with("-")))
      names.back() += ("," + part).str();
    else
      names.push_back(part.str());
  SmallVector<kernel::TargetAttr> all;
  for (const std::string &name : names) {
    const Expected<kernel::TargetAttr> target = parseTarget(context, name);
    if (!target)
      return target.error();
    if (!all.empty() && &architectureOf(*target) != &architectureOf(all.front()))
      return Error{"'" + names.front() + "' and '" + name + "' are not of one family of processors"};
    all.push_back(*target);
  }
  return all;
}
