// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The functions that halftone/model.h promises.
#include "dialects/lowbit/Facts.h"
#include "passes/codegen/Passes.h"
#include "passes/targets/Target.h"

using namespace mlir;
using namespace halftone;

namespace halftone {
#define GEN_PASS_DEF_EMITENTRIES
#include "passes/codegen/Passes.h.inc"
} // namespace halftone

namespace {

/// The phases, and where a phase function's own arguments (after bind-memory and plan-memory) come from in the
/// signature of halftone_phase: (weights, arena, cache, tokens, count, logits, past, team, thread, threads). Only a
/// phase of several tokens takes their count, and prefill no logits.
constexpr llvm::StringLiteral phases[] = {"decode", "prefill", "score"};
enum Argument { Weights, Arena, Cache, Tokens, Count, Logits, Past, Team, Thread, Threads };
constexpr Argument phaseArguments[] = {Weights, Cache, Team, Thread, Threads, Count, Arena, Tokens, Past, Logits};

bool takesMemory(Argument argument) { return llvm::is_contained({Weights, Arena, Cache, Tokens, Logits}, argument); }

/// Where the arguments of `phase` come from, but for logits that it may lack.
SmallVector<Argument> argumentsOf(func::FuncOp phase) {
  SmallVector<Argument> result{ArrayRef(phaseArguments)};
  if (!phase->hasAttr(kernel::tokenStepAttrName))
    llvm::erase(result, Count);
  return result;
}

Type typeOf(func::FuncOp phase, Argument argument) {
  const SmallVector<Argument> all = argumentsOf(phase);
  return phase.getArgumentTypes()[llvm::find(all, argument) - all.begin()];
}

bool hasLogits(func::FuncOp phase) { return phase.getNumArguments() == argumentsOf(phase).size(); }

class EmitEntriesPass : public halftone::impl::EmitEntriesBase<EmitEntriesPass> {
public:
  void runOnOperation() override {
    ModuleOp module = getOperation();
    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isExternal())
        makeInternal(function);
    const FailureOr<SmallVector<kernel::TargetAttr>> targets = targets::targetsOf(module);
    if (failed(targets))
      return signalPassFailure();
    for (size_t target = 0; target < targets->size(); ++target)
      for (StringRef phase : phases) {
        const std::string name = kernel::nameForTarget(phase, target);
        auto function = module.lookupSymbol<func::FuncOp>(name);
        if (!function) {
          module.emitError("no function '") << name << "'";
          return signalPassFailure();
        }
        if (failed(verifyArguments(function)))
          return signalPassFailure();
        emitEntry(function);
        recordVocabulary(function);
      }
  }

private:
  void makeInternal(func::FuncOp function) {
    function.setPrivate();
    function->setAttr("llvm.linkage", LLVM::LinkageAttr::get(&getContext(), LLVM::linkage::Linkage::Internal));
  }

  /// Tokens are memory; logits, where there are any, a row of memory for each.
  static LogicalResult verifyArguments(func::FuncOp phase) {
    const SmallVector<Argument> all = argumentsOf(phase);
    const size_t count = phase.getNumArguments();
    if (count != all.size() && count + 1 != all.size())
      return phase.emitError("has ") << count << " arguments, not the " << all.size() - 1 << " or " << all.size()
                                     << " of a phase whose memory is bound";
    for (auto [i, type] : llvm::enumerate(phase.getArgumentTypes()))
      if (!isa<MemRefType>(type) && takesMemory(all[i]))
        return phase.emitError("has ") << type << " as argument " << i << ", not memory";
    if (hasLogits(phase) && cast<MemRefType>(phase.getArgumentTypes().back()).getRank() != 2)
      return phase.emitError("has logits of the type ")
             << phase.getArgumentTypes().back() << ", not a row for each token";
    return success();
  }

  void emitEntry(func::FuncOp phase) {
    OpBuilder builder = OpBuilder::atBlockEnd(getOperation().getBody());
    Location loc = phase.getLoc();
    MLIRContext *context = &getContext();
    Type bytes = kernel::byteMemory(context), index = builder.getIndexType();
    Type pointer = LLVM::LLVMPointerType::get(context);
    Type tokens = typeOf(phase, Tokens);
    Type logits = hasLogits(phase) ? typeOf(phase, Logits) : pointer;
    auto type = builder.getFunctionType({bytes, bytes, bytes, tokens, index, logits, index, pointer, index, index}, {});
    auto entry = func::FuncOp::create(builder, loc, ("halftone_" + phase.getName()).str(), type);
    if (Attribute target = phase->getAttr(kernel::targetAttrName))
      entry->setAttr(kernel::targetAttrName, target);
    Block *body = entry.addEntryBlock();
    builder.setInsertionPointToStart(body);
    SmallVector<Value> operands;
    for (Argument argument : ArrayRef(argumentsOf(phase)).take_front(phase.getNumArguments()))
      operands.push_back(body->getArgument(argument));
    func::CallOp::create(builder, loc, phase, operands);
    func::ReturnOp::create(builder, loc);
  }

  void recordVocabulary(func::FuncOp phase) {
    if (hasLogits(phase))
      facts::record(getOperation(), facts::vocabulary, cast<MemRefType>(typeOf(phase, Logits)).getDimSize(1));
  }
};

} // namespace
