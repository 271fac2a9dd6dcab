// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Clones the forward function for one token and for a chunk of tokens.
#include "dialects/kernel/Kernel.h"
#include "dialects/lowbit/Facts.h"
#include "passes/Remarks.h"
#include "passes/fuse/Passes.h"

#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_SPECIALIZEPHASES
#include "passes/fuse/Passes.h.inc"
} // namespace halftone

namespace {

/// Calls with fewer tokens than a chunk have a multiple of this, where the chunk itself is one: enough for any group of
/// tokens that a lowering takes together.
constexpr int64_t tokenStep = 8;

/// Clones functions with the number of tokens fixed; each function once.
class Specializer {
public:
  /// `step`: calls may have fewer tokens, a multiple of it; 1: no.
  Specializer(SymbolTable &symbols, int64_t tokens, int64_t step) : symbols(symbols), tokens(tokens), step(step) {}

  /// The clone of `source` under `name`, with everything it calls.
  func::FuncOp clone(func::FuncOp source, const Twine &name) {
    originals.insert(source);
    func::FuncOp copy = source.clone();
    copy.setName(name.str());
    symbols.insert(copy);
    if (step > 1)
      copy->setAttr(kernel::tokenStepAttrName, Builder(copy.getContext()).getI64IntegerAttr(step));
    fixTypes(copy);
    copy.walk([&](func::CallOp call) { call.setCallee(calleeOf(call)); });
    // A size that was asked for is known now; the canonicalizer folds tensor.dim, but an operand too many is an error.
    copy.walk([](tensor::SplatOp splat) {
      if (splat.getType().hasStaticShape())
        splat.getDynamicSizesMutable().clear();
    });
    return copy;
  }

  /// The functions that were cloned.
  ArrayRef<Operation *> cloned() const { return originals.getArrayRef(); }

private:
  /// `type` with the unknown number of tokens, its first dimension, made known.
  Type fix(Type type) const {
    auto known = [&](ArrayRef<int64_t> shape) {
      SmallVector<int64_t> result(shape);
      if (!result.empty() && result.front() == ShapedType::kDynamic)
        result.front() = tokens;
      return result;
    };
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      return tensor.clone(known(tensor.getShape()));
    if (auto activation = dyn_cast<ActivationType>(type))
      return ActivationType::get(type.getContext(), known(activation.getShape()), activation.getFormat());
    return type;
  }

  void fixTypes(func::FuncOp function) const {
    auto fixAll = [&](TypeRange types) { return llvm::map_to_vector(types, [&](Type type) { return fix(type); }); };
    function.setType(FunctionType::get(function.getContext(), fixAll(function.getArgumentTypes()),
                                       fixAll(function.getResultTypes())));
    function.walk([&](Operation *op) {
      for (Value result : op->getResults())
        result.setType(fix(result.getType()));
      for (Region &region : op->getRegions())
        for (Block &block : region)
          for (Value argument : block.getArguments())
            argument.setType(fix(argument.getType()));
    });
  }

  StringRef calleeOf(func::CallOp call) {
    auto [entry, isNew] = clones.try_emplace(call.getCallee());
    if (isNew) {
      auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
      std::string name = clone(callee, callee.getName() + "_" + Twine(tokens)).getName().str();
      clones[callee.getName()] = name; // the map may have grown
      return clones[callee.getName()];
    }
    return entry->second;
  }

  SymbolTable &symbols;
  int64_t tokens, step;
  llvm::StringMap<std::string> clones;
  llvm::SmallSetVector<Operation *, 4> originals;
};

/// Takes the result away from a phase that nobody asks for logits.
void dropResults(func::FuncOp function) {
  auto terminator = cast<func::ReturnOp>(function.getBody().front().getTerminator());
  terminator.getOperandsMutable().clear();
  function.setType(FunctionType::get(function.getContext(), function.getArgumentTypes(), {}));
}

class SpecializePhasesPass : public halftone::impl::SpecializePhasesBase<SpecializePhasesPass> {
public:
  using SpecializePhasesBase::SpecializePhasesBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto forward = module.lookupSymbol<func::FuncOp>("forward");
    if (!forward) {
      module.emitError("no function 'forward': only a decoder has phases");
      return signalPassFailure();
    }
    if (chunk < 1) {
      module.emitError("a chunk has at least one token, not ") << chunk.getValue();
      return signalPassFailure();
    }
    SymbolTable symbols(module);
    for (StringRef phase : {"decode", "prefill", "score"}) // a weight may have a phase's name: it takes another
      if (failed(kernel::freeName(symbols, phase)))
        return signalPassFailure();
    const int64_t step = chunk % tokenStep == 0 ? tokenStep : 1;
    Specializer one(symbols, 1, 1), many(symbols, chunk, step);
    one.clone(forward, "decode");
    dropResults(many.clone(forward, "prefill"));
    many.clone(forward, "score");
    // The functions with an unknown number of tokens have served, callers before callees.
    for (Operation *original : many.cloned())
      if (SymbolTable::symbolKnownUseEmpty(original, module))
        original->erase();
    for (auto function : module.getOps<func::FuncOp>())
      if (failed(verifyClosed(function)))
        return signalPassFailure();
    rewrote(forward.getLoc(), "specialize-phases") << remark::metric("chunk", chunk.getValue());
    facts::record(module, facts::chunk, chunk);
    facts::record(module, facts::tokenStep, step == 1 ? chunk : step);
  }

private:
  /// Only the number of tokens may be unknown, and only as a first dimension.
  static LogicalResult verifyClosed(func::FuncOp function) {
    for (Type type : function.getArgumentTypes())
      if (auto shaped = dyn_cast<ShapedType>(type); shaped && !shaped.hasStaticShape())
        return function.emitError("has an argument of unknown size, ") << type << ", when all tokens are counted";
    return success();
  }
};

} // namespace
