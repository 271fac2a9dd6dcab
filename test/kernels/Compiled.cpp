// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/kernels/Compiled.h"

#include "passes/codegen/EmitObject.h"
#include "passes/codegen/Passes.h"
#include "passes/fuse/Passes.h"
#include "passes/lower/Passes.h"
#include "passes/targets/Target.h"
#include "test/io/TemporaryFolder.h"

#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace mlir;

namespace halftone::test {

static DialectRegistry dialects() {
  DialectRegistry registry;
  registry.insert<lowbit::LowbitDialect, kernel::KernelDialect>();
  return registry;
}

/// A context for one compilation, so that several can run at once.
struct Context : MLIRContext {
  Context() : MLIRContext(dialects(), Threading::DISABLED) { loadAllAvailableDialects(); }
};

static kernel::TargetAttr targetFor(const Way &way, MLIRContext &context) {
  Expected<kernel::TargetAttr> parsed = targets::parseTarget(context, way.target);
  if (!parsed) {
    ADD_FAILURE() << parsed.error().message;
    return kernel::TargetAttr::get(&context, "x86_64-unknown-linux-gnu", "x86-64", "", 128);
  }
  const int64_t vector = way.vector ? way.vector : parsed->getVector();
  return kernel::TargetAttr::get(&context, parsed->getTriple(), parsed->getCpu(), parsed->getFeatures(), vector);
}

std::string Way::name() const {
  return target + (vector ? "/" + std::to_string(vector) : "") + (reference ? " reference" : "");
}

std::string Way::identifier() const {
  std::string text = name();
  for (char &c : text)
    c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return text;
}

const std::vector<Way> &allWays() {
  static const std::vector<Way> ways = {referenceWay(),
                                        {.target = "x86-64"},
                                        {.target = "x86-64-v2"},
                                        {.target = "x86-64-v3"},
                                        {.target = "x86-64-v4"},
                                        {.target = "x86-64-v3+avxvnni"},
                                        {.target = "x86-64-v4+avx512vnni"},
                                        {.target = "x86-64-v4+avx512vnni+avx512bf16"},
                                        {.target = "x86-64-v4+avx512vnni", .vector = 256},
                                        {.target = "x86-64-v3", .vector = 512}, // wide tiles, in pieces
                                        {.target = "cortex-a72"},
                                        {.target = "neoverse-n1"},
                                        {.target = "neoverse-n1+bf16", .vector = 256}};
  return ways;
}

void EveryWay::start(const std::string &text, const std::vector<Way> &ways) {
  for (const Way &way : ways)
    if (whatIsMissing(way).empty())
      modules[way.name()] =
          std::async(std::launch::async, [=] { return std::shared_ptr(Compiled::compile(text, way)); });
}

/// The family of the processor that this runs on.
static std::string familyHere(MLIRContext &context) {
  return targets::familyName(targetFor({.target = "native"}, context));
}

std::string whatIsMissing(const Way &way) {
  static constexpr StringRef features[] = {"ssse3",      "avx2",     "fma",       "bmi2",     "f16c",
                                           "avx512f",    "avx512bw", "avx512cd",  "avx512dq", "avx512vl",
                                           "avx512vnni", "avxvnni",  "avx512bf16"};
  Context context;
  const kernel::TargetAttr wanted = targetFor(way, context), host = targetFor({.target = "native"}, context);
  if (const std::string family = targets::familyName(wanted); family != familyHere(context))
    return whatIsMissing(family);
  std::string missing;
  for (StringRef feature : features)
    if (targets::hasFeatures(wanted, feature) && !targets::hasFeatures(host, feature))
      missing += (missing.empty() ? "" : ", ") + feature.str();
  return missing;
}

bool canFuse(const Way &way) {
  Context context;
  return !way.reference && targets::canFuse(targetFor(way, context));
}

static LogicalResult lower(ModuleOp module, const Way &way, const std::string &segment) {
  PassManager passes(module.getContext(), ModuleOp::getOperationName());
  FormKernelsOptions kernels;
  kernels.separate = way.reference;
  passes.addNestedPass<func::FuncOp>(createFormKernels(kernels));
  LowerOptions options;
  options.segment = segment;
  options.reference = way.reference;
  addLowerPasses(passes, options);
  addKernelOpPasses(passes);
  addLlvmPasses(passes);
  return passes.run(module);
}

namespace {
/// A module and what came of it.
struct Emitted {
  Context context;
  OwningOpRef<ModuleOp> module;
  TemporaryFolder folder;
  FailureOr<SmallVector<char, 0>> bytes = failure();

  Emitted(const std::string &text, const Way &way, Emit what) {
    module = parseSourceString<ModuleOp>(text, &context);
    if (!module) {
      ADD_FAILURE() << text;
      return;
    }
    (*module)->setAttr(kernel::targetAttrName, targetFor(way, context));
    if (succeeded(lower(*module, way, segment())))
      bytes = emitObject(*module, what);
    if (failed(bytes))
      ADD_FAILURE() << "cannot compile for " << way.name();
  }

  std::string segment() const { return folder / "segment"; }
  int64_t recorded(StringRef name) { return (*module)->getAttrOfType<IntegerAttr>(name).getInt(); }
  std::unique_ptr<Code> load() {
    const std::string family = targets::familyName(targets::targetOf(*module));
    return family == familyHere(context) ? loadHere(*bytes) : loadEmulated(*bytes, family);
  }
};
} // namespace

std::string assemble(const std::string &text, const Way &way) {
  const Emitted emitted(text, way, Emit::Assembly);
  return failed(emitted.bytes) ? "" : std::string(emitted.bytes->begin(), emitted.bytes->end());
}

std::unique_ptr<Compiled> Compiled::compile(const std::string &text, const Way &way) {
  Emitted emitted(text, way, Emit::Object);
  if (failed(emitted.bytes))
    return nullptr;
  std::unique_ptr<Code> code = emitted.load();
  if (!code)
    return nullptr;

  std::unique_ptr<Compiled> result(new Compiled);
  result->code = std::move(code);
  const std::string segment = emitted.folder.read("segment");
  constexpr size_t alignment = 64; // include/halftone/model.h
  result->weights = Memory(segment.size(), alignment);
  std::memcpy(result->weights.data(), segment.data(), segment.size());
  result->arena = Memory(emitted.recorded("halftone.arena_bytes"), alignment);
  result->cacheBytes = emitted.recorded("halftone.cache_bytes");
  result->cachePositions = emitted.recorded("halftone.cache_positions");
  return result;
}

Memory Compiled::makeCache(int64_t positions) const {
  return Memory((positions + cachePositions - 1) / cachePositions * cacheBytes, 64);
}

void Compiled::call(const std::string &function, const std::vector<Argument> &arguments, int threads, void *cache) {
  Call made = {weights.data(), cache, arena.data(), {}};
  ASSERT_LE(arguments.size(), made.own.size());
  for (size_t i = 0; i < arguments.size(); ++i)
    made.own[i] = arguments[i].bits;
  code->call(function, made, threads);
}

} // namespace halftone::test
