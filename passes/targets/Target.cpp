// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Parsing targets, and choosing among their instructions.
#include "passes/targets/Target.h"

#include "passes/targets/Instructions.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::targets;

/// The families, the first one where a module names no target.
static const Architecture *const families[] = {&x86, &arm};

static llvm::Triple::ArchType archOf(StringRef triple) { return llvm::Triple(triple).getArch(); }

const Architecture &targets::architectureOf(kernel::TargetAttr target) {
  for (const Architecture *family : families)
    if (archOf(family->triple) == archOf(target.getTriple()))
      return *family;
  return portable;
}

std::string targets::familyName(kernel::TargetAttr target) {
  return llvm::Triple(target.getTriple()).getArchName().str();
}

/// The first dot instruction that `wanted` takes: those of `families`, best first, then those of every family.
static const DotInstruction *firstDot(ArrayRef<const Architecture *> families,
                                      function_ref<bool(const DotInstruction &)> wanted) {
  for (const Architecture *family : families)
    for (const DotInstruction &dot : family->dots)
      if (wanted(dot))
        return &dot;
  const DotInstruction *dot = llvm::find_if(portable.dots, wanted);
  return dot == portable.dots.end() ? nullptr : dot;
}

static const DotInstruction *firstDot(kernel::TargetAttr target, function_ref<bool(const DotInstruction &)> wanted) {
  return firstDot(&architectureOf(target), wanted);
}

const DotInstruction *targets::findDot(StringRef name) {
  return firstDot(families, [&](const DotInstruction &dot) { return dot.name == name; });
}

/// What LLVM knows of a processor, or null when it knows neither processor nor features of that name.
static std::unique_ptr<llvm::MCSubtargetInfo> subtarget(StringRef triple, StringRef cpu, StringRef features) {
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

/// Whether a family has the very row.
static bool has(const Architecture &family, const DotInstruction &dot) {
  return &dot >= family.dots.begin() && &dot < family.dots.end();
}

bool targets::supports(kernel::TargetAttr target, const DotInstruction &dot) {
  return dot.vector <= target.getVector() && (has(portable, dot) || has(architectureOf(target), dot)) &&
         hasFeatures(target, dot.features);
}

/// Whether `dot` multiplies weights of `format`.
static bool takes(const DotInstruction &dot, const formats::Format &format) {
  return format.isPlain() ? dot.plain == format.code.scalar : !dot.plain && format.code.highestLevel() <= dot.highest;
}

const DotInstruction &targets::chooseDot(kernel::TargetAttr target, const formats::Format &format) {
  const DotInstruction *dot =
      firstDot(target, [&](const DotInstruction &dot) { return takes(dot, format) && supports(target, dot); });
  assert(dot && "the portable instructions take every format");
  return *dot;
}

std::string targets::portableBecause(kernel::TargetAttr target, const formats::Format &format) {
  const DotInstruction &chosen = chooseDot(target, format);
  const DotInstruction *best = firstDot(target, [&](const DotInstruction &dot) { return takes(dot, format); });
  return chosen.features.empty() && best != &chosen ? "for want of " + best->features.str() : "";
}

/// The row of the family's widths that says most of `target`.
static const VectorWidth &widthOf(kernel::TargetAttr target) {
  const ArrayRef<VectorWidth> widths = architectureOf(target).widths;
  return *llvm::find_if(widths, [&](const VectorWidth &width) { return hasFeatures(target, width.features); });
}

targets::RegisterTile targets::chooseRegisterTile(kernel::TargetAttr target, int64_t lanes, int64_t vectors) {
  const int64_t pieces = std::max<int64_t>(lanes * 32 / target.getVector(), 1), registers = widthOf(target).registers;
  RegisterTile best = {1, 1};
  double fewest = 2;
  // Beside the sums there are the levels of one step, the activations of a token, and one for what is between.
  for (int64_t tiles = 1; tiles <= 4; ++tiles)
    for (int64_t tokens = 1; tokens <= 8; tokens *= 2) {
      const int64_t wide = tiles * pieces;
      const double loads = static_cast<double>(wide + tokens) / static_cast<double>(wide * tokens);
      if (vectors * wide * tokens + wide + 2 > registers || loads >= fewest)
        continue;
      best = {tiles, tokens};
      fewest = loads;
    }
  return best;
}

const LookupInstruction *targets::chooseLookup(kernel::TargetAttr target, int64_t bits) {
  for (const LookupInstruction &lookup : architectureOf(target).lookups)
    if (lookup.vector <= bits && lookup.vector <= target.getVector() && hasFeatures(target, lookup.features))
      return &lookup;
  return nullptr;
}

Value targets::pieceOf(OpBuilder &builder, Location loc, Value vector, int64_t piece, int64_t pieces) {
  if (pieces == 1)
    return vector;
  const int64_t size = cast<VectorType>(vector.getType()).getNumElements() / pieces;
  return vector::ExtractStridedSliceOp::create(builder, loc, vector, {piece * size}, {size}, {1});
}

Value targets::joinPieces(OpBuilder &builder, Location loc, VectorType type, ArrayRef<Value> pieces) {
  if (pieces.size() == 1)
    return pieces.front();
  Value whole = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  const int64_t size = type.getNumElements() / static_cast<int64_t>(pieces.size());
  for (auto [i, piece] : llvm::enumerate(pieces))
    whole = vector::InsertStridedSliceOp::create(builder, loc, piece, whole, {static_cast<int64_t>(i) * size}, {1});
  return whole;
}

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
      llvm::map_range(families, [](auto *family) { return llvm::Triple(family->triple).getArchName().str(); }), " or ");
}

static Error unknown(StringRef kind, StringRef name, StringRef where) {
  return {(kind + " '" + name + "' is not one that LLVM knows for " + where).str()};
}

/// The family that has a processor of that name, or null.
static const Architecture *familyOf(StringRef cpu) {
  for (const Architecture *family : families) {
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
  for (const Architecture *family : families)
    for (const Level &level : family->levels)
      if (level.name == named.cpu) {
        named.cpu = family->cpu.str();
        named.family = family;
        named.features.insert(named.features.begin(), ("+" + level.feature).str());
        return;
      }
}

/// The target of those parts: vectors as wide as its family has them for it.
static kernel::TargetAttr targetFor(MLIRContext &context, const Architecture &family, StringRef cpu,
                                    StringRef features) {
  context.getOrLoadDialect<kernel::KernelDialect>();
  auto target = kernel::TargetAttr::get(&context, family.triple, cpu, features, 128);
  return kernel::TargetAttr::get(&context, family.triple, cpu, features, widthOf(target).bits);
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

kernel::TargetAttr targets::targetOf(Operation *op) {
  for (; op && !isa<ModuleOp>(op); op = op->getParentOp())
    if (auto target = op->getAttrOfType<kernel::TargetAttr>(kernel::targetAttrName))
      return target;
  if (auto target = op->getAttrOfType<kernel::TargetAttr>(kernel::targetAttrName))
    return target;
  const Architecture *family = families[0];
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
