// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Collects the module's attributes into the constant that the runtime reads.
#include "dialects/lowbit/Facts.h"
#include "include/halftone/model.h"
#include "lib/link/ReadInfo.h"
#include "lib/link/WeightSegment.h"
#include "passes/package/Passes.h"

#include <array>

using namespace mlir;
using namespace halftone;

namespace halftone {
#define GEN_PASS_DEF_EMITFACTS
#include "passes/package/Passes.h.inc"
} // namespace halftone

namespace {

using Facts = struct ::halftone_facts; // the constant has the same name

/// A fact that an attribute of the module gives.
struct Recorded {
  StringLiteral attribute;
  int64_t Facts::*fact;
};

constexpr Recorded recorded[] = {
    {facts::vocabulary, &Facts::vocabulary},
    {facts::context, &Facts::context},
    {facts::chunk, &Facts::chunk},
    {facts::tokenStep, &Facts::token_step},
    {facts::arenaBytes, &Facts::arena_bytes},
    {facts::cachePositions, &Facts::cache_positions},
    {facts::cacheBytes, &Facts::cache_bytes},
    {facts::parameters, &Facts::parameters},
    {facts::weightBytes, &Facts::weight_bytes},
    {facts::decodeBytes, &Facts::decode_bytes},
    {facts::prefillOperations, &Facts::prefill_operations},
};

/// Reads what earlier passes recorded, or says what they did not.
LogicalResult readAttributes(ModuleOp module, Facts &facts) {
  for (const Recorded &entry : recorded) {
    auto value = module->getAttrOfType<IntegerAttr>(entry.attribute);
    if (!value)
      return module.emitError("the module has no integer attribute '") << entry.attribute << "' to put into its facts";
    facts.*entry.fact = value.getInt();
  }
  return success();
}

/// The global in the order of the struct, which holds nothing but int64_t.
void addGlobal(ModuleOp module, const Facts &facts) {
  std::array<int64_t, sizeof(Facts) / sizeof(int64_t)> words;
  static_assert(sizeof(words) == sizeof(facts));
  std::memcpy(words.data(), &facts, sizeof(facts));
  auto builder = OpBuilder::atBlockEnd(module.getBody());
  const Type word = builder.getI64Type();
  const auto values = DenseIntElementsAttr::get(RankedTensorType::get({words.size()}, word), ArrayRef(words));
  auto global = LLVM::GlobalOp::create(builder, module.getLoc(), LLVM::LLVMArrayType::get(word, words.size()),
                                       /*isConstant=*/true, LLVM::Linkage::External, "halftone_facts", values,
                                       /*alignment=*/alignof(Facts));
  global.setSection(link::factsSection);
}

class EmitFactsPass : public halftone::impl::EmitFactsBase<EmitFactsPass> {
public:
  using EmitFactsBase::EmitFactsBase;

  void runOnOperation() override {
    Facts facts = {};
    facts.abi = HALFTONE_MODEL_ABI;
    if (failed(readAttributes(getOperation(), facts)))
      return signalPassFailure();
    const uint64_t sizes[] = {static_cast<uint64_t>(weights), static_cast<uint64_t>(tokenizer),
                              static_cast<uint64_t>(info)};
    const std::vector<uint64_t> offsets = link::partOffsets(sizes);
    facts.tokenizer_offset = static_cast<int64_t>(offsets[1]);
    facts.tokenizer_bytes = tokenizer;
    facts.info_offset = static_cast<int64_t>(offsets[2]);
    facts.info_bytes = info;
    facts.segment_bytes = static_cast<int64_t>(offsets[3]);
    addGlobal(getOperation(), facts);
  }
};

} // namespace
