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
/// signature of halftone_phase: (weights, arena, cache, tokens, logits, past, team, thread, threads).
constexpr llvm::StringLiteral phases[] = {"decode", "prefill", "score"};
enum Argument { Weights, Arena, Cache, Tokens, Logits, Past, Team, Thread, Threads };
constexpr Argument phaseArguments[] = {Weights, Cache, Team, Thread, Threads, Arena, Tokens, Past, Logits};

bool takesMemory(Argument argument) {
  return argument != Team && argument != Thread && argument != Threads && argument != Past;
}

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
    const unsigned count = phase.getNumArguments();
    if (count != std::size(phaseArguments) && count + 1 != std::size(phaseArguments))
      return phase.emitError("has ") << count << " arguments, not the " << std::size(phaseArguments) - 1 << " or "
                                     << std::size(phaseArguments) << " of a phase whose memory is bound";
    for (unsigned i = 0; i < count; ++i)
      if (auto type = dyn_cast<MemRefType>(phase.getArgumentTypes()[i]); !type && takesMemory(phaseArguments[i]))
        return phase.emitError("has ") << phase.getArgumentTypes()[i] << " as argument " << i << ", not memory";
    if (count == std::size(phaseArguments) && cast<MemRefType>(phase.getArgumentTypes().back()).getRank() != 2)
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
    Type tokens = phase.getArgument(6).getType();
    Type logits = phase.getNumArguments() > 8 ? phase.getArgument(8).getType() : pointer;
    auto type = builder.getFunctionType({bytes, bytes, bytes, tokens, logits, index, pointer, index, index}, {});
    auto entry = func::FuncOp::create(builder, loc, ("halftone_" + phase.getName()).str(), type);
    if (Attribute target = phase->getAttr(kernel::targetAttrName))
      entry->setAttr(kernel::targetAttrName, target);
    Block *body = entry.addEntryBlock();
    builder.setInsertionPointToStart(body);
    SmallVector<Value> operands;
    for (Argument argument : ArrayRef(phaseArguments).take_front(phase.getNumArguments()))
      operands.push_back(body->getArgument(argument));
    func::CallOp::create(builder, loc, phase, operands);
    func::ReturnOp::create(builder, loc);
  }

  void recordVocabulary(func::FuncOp phase) {
    if (phase.getNumArguments() > 8)
      facts::record(getOperation(), facts::vocabulary, cast<MemRefType>(phase.getArgument(8).getType()).getDimSize(1));
  }
};

} // namespace
