// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a value up to the weights that make its channels, and out to where these have names.
#include "passes/quantize/ScaleFold.h"

#include "dialects/lowbit/WeightUses.h"
#include "passes/quantize/Decision.h"

#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;
using namespace halftone::quantize;

/// The users of `value` that compute with it.
static SmallVector<OpOperand *> readersOf(Value value) {
  SmallVector<OpOperand *> readers;
  for (OpOperand &use : value.getUses())
    if (!isa<ObserveOp>(use.getOwner()))
      readers.push_back(&use);
  return readers;
}

namespace {

/// The operands through which a value's channels can be scaled, and the cache that it goes through.
struct Producers {
  SmallVector<OpOperand *> weights;
  Value cache;
};

bool find(Value value, Producers &found);

/// The same for a value that nothing reads but what was looked at so far.
bool findPrivate(Value value, Producers &found) { return readersOf(value).size() == 1 && find(value, found); }

/// A factor of one side of a product is one of the product.
bool findInProduct(arith::MulFOp product, Producers &found) {
  const Producers before = found;
  if (findPrivate(product.getLhs(), found))
    return true;
  found = before;
  return findPrivate(product.getRhs(), found);
}

/// Attention averages the values of each head, so their channels are its result's where no head serves several queries.
bool findInValues(AttentionOp attention, Producers &found) {
  if (static_cast<int64_t>(attention.getHeads()) != attention.getCache().getType().getHeads() || found.cache)
    return false;
  AppendOp append;
  for (Operation *user : attention.getCache().getUsers()) {
    if (user == attention)
      continue;
    if (append || !(append = dyn_cast<AppendOp>(user)) || !append->isBeforeInBlock(attention))
      return false;
  }
  found.cache = attention.getCache();
  return append && findPrivate(append.getValues(), found);
}

bool find(Value value, Producers &found) {
  Operation *maker = value.getDefiningOp();
  if (!maker)
    return false;
  return llvm::TypeSwitch<Operation *, bool>(maker)
      .Case([&](RmsNormOp norm) {
        if (norm.getScale())
          found.weights.push_back(&norm.getScaleMutable()[0]);
        return static_cast<bool>(norm.getScale());
      })
      .Case([&](LinearOp linear) {
        found.weights.push_back(&linear.getWeightMutable());
        return true;
      })
      .Case([&](AddBiasOp sum) {
        found.weights.push_back(&sum.getBiasMutable());
        return findPrivate(sum.getInput(), found);
      })
      .Case([&](arith::MulFOp product) { return findInProduct(product, found); })
      .Case([&](AttentionOp attention) { return findInValues(attention, found); })
      .Default(false);
}

/// Whether `method` is the next that a linear waits for; any may be when nothing was said.
bool waitsFor(OpOperand &use, StringRef method) {
  const Decision decision = decisionOf(use);
  return decision.format && !decision.format.getValue().isPlain() &&
         (!decision.method || decision.method.getValue().split(',').first == method);
}

class FoldSearch {
public:
  FoldSearch(ModuleOp module, StringRef method) : module(module), symbols(module), uses(module), method(method) {}

  SmallVector<ScaleFold> run() {
    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isExternal() && SymbolTable::symbolKnownUseEmpty(function, module))
        visit(function, {});
    return std::move(folds);
  }

private:
  /// The folds of `function`, in the order of its operations; of a root, or as `call` runs it.
  void visit(func::FuncOp function, func::CallOp call) {
    for (Operation &op : function.getBody().front()) {
      if (auto inner = dyn_cast<func::CallOp>(op))
        if (auto callee = symbols.lookup<func::FuncOp>(inner.getCallee()); callee && !callee.isExternal())
          visit(callee, inner);
      for (Value result : op.getResults())
        if (isa<RankedTensorType>(result.getType()))
          consider(result, call);
    }
  }

  void consider(Value value, func::CallOp call) {
    SmallVector<OpOperand *> weights;
    bool isWanted = false, servesLinears = true;
    for (OpOperand *use : readersOf(value)) {
      auto linear = dyn_cast<LinearOp>(use->getOwner());
      servesLinears &= static_cast<bool>(linear);
      if (!linear)
        continue;
      weights.push_back(&linear.getWeightMutable());
      isWanted |= waitsFor(linear.getWeightMutable(), method);
    }
    if (!isWanted)
      return;
    std::reverse(weights.begin(), weights.end()); // the newest use is the first of the list
    Producers producers;
    if (!servesLinears)
      return refuse(value, "something else than linears reads it");
    if (!find(value, producers))
      return refuse(value, "no norm and no linear gives it that could take the inverse");
    collect(value, weights, producers, call);
  }

  void refuse(Value value, const Twine &why) const {
    emitRemark(value.getLoc()) << method << " does not scale this: " << why;
  }

  void collect(Value value, ArrayRef<OpOperand *> readers, const Producers &producers, func::CallOp call) {
    ScaleFold fold;
    fold.channels = cast<RankedTensorType>(value.getType()).getDimSize(1);
    allowed.clear();
    if (!resolve(readers, call, fold.readers) || !resolve(producers.weights, call, fold.producers))
      return refuse(value, "a weight around it has no name of its own");
    if (producers.cache && !isPrivate(producers.cache, call))
      return refuse(value, "its cache serves elsewhere too");
    for (const FoldedWeight &folded : llvm::concat<FoldedWeight>(fold.readers, fold.producers)) {
      WeightOp weight = folded.weight;
      if (!cast<WeightType>(weight.getType()).getFormat().getValue().isPlain())
        return refuse(value, "weight '" + weight.getSymName() + "' is quantized already");
      if (!llvm::all_of(uses.of(weight), [&](OpOperand *use) { return allowed.contains(use); }))
        return refuse(value, "weight '" + weight.getSymName() + "' is read elsewhere too");
    }
    folds.push_back(std::move(fold));
  }

  /// Follows the handles that `operands` read out of the function that `call` calls, to their names. Each weight counts
  /// once; false when a handle is no argument of the function, or does not come from a lowbit.get.
  bool resolve(ArrayRef<OpOperand *> operands, func::CallOp call, SmallVectorImpl<FoldedWeight> &weights) {
    for (OpOperand *operand : operands) {
      OpOperand *place = outside(*operand, call);
      auto get = place ? place->get().getDefiningOp<GetOp>() : GetOp();
      if (!get)
        return false;
      allowed.insert({operand, place});
      if (llvm::none_of(weights, [&](const FoldedWeight &other) { return other.place == place; }))
        weights.push_back({symbols.lookup<WeightOp>(get.getName()), place, decisionOf(*operand).format});
    }
    return true;
  }

  /// The operand that brings what `operand` reads, `operand` itself in a function that nobody calls; or null.
  static OpOperand *outside(OpOperand &operand, func::CallOp call) {
    if (!call)
      return &operand;
    auto argument = dyn_cast<BlockArgument>(operand.get());
    return argument ? &call->getOpOperand(argument.getArgNumber()) : nullptr;
  }

  /// Whether the cache behind `handle` is used by one attention alone, and only in this call.
  bool isPrivate(Value handle, func::CallOp call) const {
    auto argument = dyn_cast<BlockArgument>(handle);
    Value outer = call && argument ? call.getOperand(argument.getArgNumber()) : handle;
    auto get = outer.getDefiningOp<GetOp>();
    return get && llvm::all_of(uses.of(get.getNameAttr().getAttr()), [&](OpOperand *use) {
             return use->get() == handle || (use->getOwner() == call && use->get() == outer);
           });
  }

  ModuleOp module;
  SymbolTable symbols;
  const WeightUses uses;
  StringRef method;
  llvm::SmallPtrSet<OpOperand *, 8> allowed; ///< uses of weights by the fold that is looked at
  SmallVector<ScaleFold> folds;
};

} // namespace

SmallVector<ScaleFold> quantize::findScaleFolds(ModuleOp module, StringRef method) {
  return FoldSearch(module, method).run();
}
