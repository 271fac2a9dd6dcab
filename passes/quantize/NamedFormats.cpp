// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From names to the operations that read them.
#include "passes/quantize/NamedFormats.h"

#include "llvm/ADT/MapVector.h"

#include <functional>

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

static constexpr llvm::StringLiteral attrName = "wanted";

FormatAttr quantize::namedFormat(WeightOp weight) { return weight->getAttrOfType<FormatAttr>(attrName); }
void quantize::setNamedFormat(WeightOp weight, FormatAttr format) { weight->setAttr(attrName, format); }
void quantize::removeNamedFormat(WeightOp weight) { weight->removeAttr(attrName); }

/// On a derived weight.
static constexpr llvm::StringLiteral originAttrName = "derived_from";

void quantize::inheritNamedFormat(WeightOp derived, WeightOp base) {
  if (FormatAttr format = namedFormat(base))
    setNamedFormat(derived, format);
  derived->setAttr(originAttrName, StringAttr::get(derived.getContext(), originalName(base)));
}

StringRef quantize::originalName(WeightOp weight) {
  auto origin = weight->getAttrOfType<StringAttr>(originAttrName);
  return origin ? origin.getValue() : weight.getSymName();
}

/// Visits each operand that brings `weight`, or what is derived from it, to somewhere.
static void forEachPlace(WeightOp weight, const WeightUses &uses, llvm::function_ref<void(OpOperand &)> body) {
  std::function<void(OpOperand &)> visit = [&](OpOperand &use) {
    body(use);
    if (isDerivation(use.getOwner()) && use.getOperandNumber() == 0)
      forEachUse(use.getOwner()->getResult(0), visit);
  };
  for (OpOperand *use : uses.of(weight))
    visit(*use);
}

SmallVector<OpOperand *> quantize::decodersOf(WeightOp weight, const WeightUses &uses) {
  SmallVector<OpOperand *> decoders;
  forEachPlace(weight, uses, [&](OpOperand &use) {
    auto linear = dyn_cast<LinearOp>(use.getOwner());
    if (linear ? &use == &linear.getWeightMutable() : isa<EmbeddingOp>(use.getOwner()))
      decoders.push_back(&use);
  });
  return decoders;
}

/// The calls of each function, those that bring weights of the same named formats together.
static auto groupedCalls(ModuleOp module) {
  DenseMap<OpOperand *, FormatAttr> named;
  const WeightUses uses(module);
  for (WeightOp weight : module.getOps<WeightOp>())
    if (FormatAttr format = quantize::namedFormat(weight))
      forEachPlace(weight, uses, [&](OpOperand &use) { named.try_emplace(&use, format); });
  llvm::MapVector<StringAttr, SmallVector<std::pair<SmallVector<FormatAttr>, SmallVector<func::CallOp>>>> groups;
  module.walk([&](func::CallOp call) {
    SmallVector<FormatAttr> key;
    for (OpOperand &operand : call->getOpOperands())
      key.push_back(named.lookup(&operand));
    auto &all = groups[call.getCalleeAttr().getAttr()];
    auto *same = llvm::find_if(all, [&](const auto &group) { return group.first == key; });
    if (same == all.end())
      all.push_back({key, {call}});
    else
      same->second.push_back(call);
  });
  return groups;
}

/// Separates the calls of one function; false when all agree.
static bool separateOne(ModuleOp module, SymbolTable &symbols) {
  for (auto &[name, groups] : groupedCalls(module)) {
    auto function = symbols.lookup<func::FuncOp>(name);
    if (groups.size() < 2 || !function || function.isExternal())
      continue;
    for (auto &[key, calls] : llvm::drop_begin(groups)) {
      func::FuncOp clone = function.clone();
      symbols.insert(clone, std::next(Block::iterator(function)));
      for (func::CallOp call : calls)
        call.setCallee(clone.getName());
    }
    return true;
  }
  return false;
}

void quantize::separateCalls(ModuleOp module) {
  SymbolTable symbols(module);
  while (separateOne(module, symbols)) // a clone's own calls may differ now
    ;
}
