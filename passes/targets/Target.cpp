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

static constexpr llvm::StringLiteral linuxX86 = "x86_64-unknown-linux-gnu";

ArrayRef<const Architecture *> targets::architectures() {
  static const Architecture *const all[] = {&x86, &portable};
  return all;
}

/// The first dot instruction that `wanted` takes, the best ones first.
static const DotInstruction *firstDot(function_ref<bool(const DotInstruction &)> wanted) {
  for (const Architecture *architecture : architectures())
    for (const DotInstruction &dot : architecture->dots)
      if (wanted(dot))
        return &dot;
  return nullptr;
}

const DotInstruction *targets::findDot(StringRef name) {
  return firstDot([&](const DotInstruction &dot) { return dot.name == name; });
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

bool targets::supports(kernel::TargetAttr target, const DotInstruction &dot) {
  return dot.vector <= target.getVector() && hasFeatures(target, dot.features);
}

/// Whether `dot` multiplies weights of `format`.
static bool takes(const DotInstruction &dot, const formats::Format &format) {
  return format.isPlain() ? dot.plain == format.code.scalar : !dot.plain && format.code.highestLevel() <= dot.highest;
}

const DotInstruction &targets::chooseDot(kernel::TargetAttr target, const formats::Format &format) {
  const DotInstruction *dot =
      firstDot([&](const DotInstruction &dot) { return takes(dot, format) && supports(target, dot); });
  assert(dot && "the portable instructions take every format");
  return *dot;
}

std::string targets::portableBecause(kernel::TargetAttr target, const formats::Format &format) {
  const DotInstruction &chosen = chooseDot(target, format);
  const DotInstruction *best = firstDot([&](const DotInstruction &dot) { return takes(dot, format); });
  return chosen.features.empty() && best != &chosen ? "for want of " + best->features.str() : "";
}

/// Vector registers of the processor.
static int64_t registersOf(kernel::TargetAttr target) { return hasFeatures(target, "avx512vl") ? 32 : 16; }

targets::RegisterTile targets::chooseRegisterTile(kernel::TargetAttr target, int64_t lanes, int64_t vectors) {
  const int64_t pieces = std::max<int64_t>(lanes * 32 / target.getVector(), 1), registers = registersOf(target);
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
  for (const Architecture *architecture : architectures())
    for (const LookupInstruction &lookup : architecture->lookups)
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

/// The widest vectors that the processor runs well.
static int64_t vectorBits(const llvm::MCSubtargetInfo &info) {
  if (info.checkFeatures("+avx512f,+avx512bw,+avx512vl,+avx512dq"))
    return 512;
  return info.checkFeatures("+avx2") ? 256 : 128;
}

/// The features of the processor this runs on that differ from those its name implies: hypervisors hide some.
static std::string hostFeatures() {
  std::vector<std::string> features;
  for (const auto &[name, has] : llvm::sys::getHostCPUFeatures())
    features.push_back((has ? "+" : "-") + name.str());
  llvm::sort(features);
  return llvm::join(features, ",");
}

static Error unknown(StringRef kind, StringRef name) {
  return {(kind + " '" + name + "' is not one that LLVM knows for x86_64").str()};
}

/// The first of `features` that LLVM does not know, or nothing.
static std::optional<StringRef> unknownFeature(const llvm::MCSubtargetInfo &info, ArrayRef<StringRef> features) {
  for (StringRef feature : features) {
    bool known = llvm::any_of(info.getAllProcessorFeatures(),
                              [&](const auto &entry) { return feature.drop_front() == entry.Key; });
    if (!known)
      return feature;
  }
  return std::nullopt;
}

Expected<kernel::TargetAttr> targets::parseTarget(MLIRContext &context, StringRef text) {
  // A processor's name may hold dashes, so features begin at the first plus or comma: cpu+a+b, cpu+a,-b, cpu,-b.
  std::string cpu = text.take_until([](char c) { return c == '+' || c == ','; }).str();
  std::string features;
  for (char c : text.drop_front(cpu.size()))
    features += c == '+' ? std::string(",+") : std::string(1, c);
  SmallVector<StringRef> names;
  StringRef(features).split(names, ',', -1, /*KeepEmpty=*/false);
  const bool native = cpu == "native";
  std::string all = native ? hostFeatures() : "";
  if (native)
    cpu = llvm::sys::getHostCPUName().str();
  auto info = subtarget(linuxX86, "", ""); // LLVM prints on an unknown processor, so it is asked first
  if (!info || !info->isCPUStringValid(cpu))
    return unknown("processor", cpu);
  for (StringRef name : names)
    if (!name.starts_with("+") && !name.starts_with("-"))
      return unknown("feature", name);
  if (std::optional<StringRef> name = unknownFeature(*info, names))
    return unknown("feature", *name);
  for (StringRef name : names)
    all += (all.empty() ? "" : ",") + name.str();
  auto whole = subtarget(linuxX86, cpu, all);
  context.getOrLoadDialect<kernel::KernelDialect>();
  return kernel::TargetAttr::get(&context, linuxX86, cpu, all, vectorBits(*whole));
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
  return kernel::TargetAttr::get(op->getContext(), linuxX86, "x86-64", "", 128);
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
