// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/kernels/Compiled.h"

#include "passes/codegen/EmitObject.h"
#include "passes/codegen/Passes.h"
#include "passes/fuse/Passes.h"
#include "passes/lower/Passes.h"
#include "passes/targets/Target.h"
#include "test/io/TemporaryFolder.h"

#include "mlir/Parser/Parser.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/MemoryBuffer.h"

#include <barrier>
#include <gtest/gtest.h>
#include <thread>

using namespace mlir;

namespace halftone::test {

/// What model.h asks of the host of a model.
static void waitForTeam(void *team, int64_t, int64_t) { static_cast<std::barrier<> *>(team)->arrive_and_wait(); }

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
                                        {.target = "x86-64-v3", .vector = 512}}; // wide tiles, in pieces
  return ways;
}

void EveryWay::start(const std::string &text, const std::vector<Way> &ways) {
  for (const Way &way : ways)
    if (whatIsMissing(way).empty())
      modules[way.name()] =
          std::async(std::launch::async, [=] { return std::shared_ptr(Compiled::compile(text, way)); });
}

std::string whatIsMissing(const Way &way) {
  static constexpr StringRef features[] = {"ssse3",      "avx2",     "fma",       "bmi2",     "f16c",
                                           "avx512f",    "avx512bw", "avx512cd",  "avx512dq", "avx512vl",
                                           "avx512vnni", "avxvnni",  "avx512bf16"};
  Context context;
  const kernel::TargetAttr wanted = targetFor(way, context), host = targetFor({.target = "native"}, context);
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

static std::unique_ptr<llvm::orc::LLJIT> load(ArrayRef<char> object) {
  llvm::orc::LLJITBuilder builder;
  llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>> jit = builder.create();
  if (!jit) {
    ADD_FAILURE() << llvm::toString(jit.takeError());
    return nullptr;
  }
  llvm::orc::SymbolMap symbols;
  symbols[(*jit)->mangleAndIntern("halftone_barrier")] = {llvm::orc::ExecutorAddr::fromPtr(&waitForTeam),
                                                          llvm::JITSymbolFlags::Exported};
  llvm::Error error = (*jit)->getMainJITDylib().define(llvm::orc::absoluteSymbols(std::move(symbols)));
  if (!error)
    error =
        (*jit)->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(StringRef(object.data(), object.size()), "model.o"));
  if (error) {
    ADD_FAILURE() << llvm::toString(std::move(error));
    return nullptr;
  }
  return std::move(*jit);
}

Compiled::Compiled() = default;
Compiled::~Compiled() = default;

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
  std::unique_ptr<Compiled> result(new Compiled);
  result->jit = load(*emitted.bytes);
  if (!result->jit)
    return nullptr;

  const std::string segment = emitted.folder.read("segment");
  constexpr size_t alignment = 64; // include/halftone/model.h
  result->weights = Memory(segment.size(), alignment);
  std::memcpy(result->weights.data(), segment.data(), segment.size());
  auto recorded = [&](StringRef name) { return (*emitted.module)->getAttrOfType<IntegerAttr>(name).getInt(); };
  result->arena = Memory(recorded("halftone.arena_bytes"), alignment);
  result->cacheBytes = recorded("halftone.cache_bytes");
  result->cachePositions = recorded("halftone.cache_positions");
  return result;
}

Memory Compiled::makeCache(int64_t positions) const {
  return Memory((positions + cachePositions - 1) / cachePositions * cacheBytes, 64);
}

void Compiled::call(const std::string &function, const std::vector<Argument> &arguments, int threads, void *cache) {
  llvm::Expected<llvm::orc::ExecutorAddr> address = jit->lookup(function);
  if (!address) {
    ADD_FAILURE() << llvm::toString(address.takeError());
    return;
  }
  // After bind-memory and plan-memory: weights, cache, team, thread, threads, arena, then the function's own. All are
  // of the integer class, and a caller may pass more of them than the callee reads.
  using Function = void (*)(const void *, void *, void *, int64_t, int64_t, void *, int64_t, int64_t, int64_t, int64_t,
                            int64_t, int64_t);
  auto code = address->toPtr<Function>();
  std::vector<int64_t> own(6);
  ASSERT_LE(arguments.size(), own.size());
  for (size_t i = 0; i < arguments.size(); ++i)
    own[i] = arguments[i].bits;
  std::barrier<> team(threads);
  auto run = [&](int64_t thread) {
    code(weights.data(), cache, &team, thread, threads, arena.data(), own[0], own[1], own[2], own[3], own[4], own[5]);
  };
  std::vector<std::jthread> others;
  for (int thread = 1; thread < threads; ++thread)
    others.emplace_back(run, thread);
  run(0);
}

} // namespace halftone::test
