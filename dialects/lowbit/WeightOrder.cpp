// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Walking the calls as they are executed.
#include "dialects/lowbit/WeightOrder.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

namespace {

class ExecutionWalk {
public:
  explicit ExecutionWalk(ModuleOp module) : symbols(module) {}

  /// \param handles what the arguments of `function` are called.
  void run(func::FuncOp function, ArrayRef<WeightOp> handles) {
    DenseMap<Value, WeightOp> known;
    for (auto [argument, weight] : llvm::zip(function.getArguments(), handles))
      known[argument] = weight;
    function.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (auto get = dyn_cast<GetOp>(op))
        known[get.getHandle()] = symbols.lookup<WeightOp>(get.getName());
      else if (auto linear = dyn_cast<LinearOp>(op))
        found.insert(known.lookup(linear.getWeight()));
      else if (auto call = dyn_cast<func::CallOp>(op))
        run(symbols.lookup<func::FuncOp>(call.getCallee()),
            llvm::map_to_vector(call.getOperands(), [&](Value operand) { return known.lookup(operand); }));
    });
  }

  llvm::SetVector<WeightOp> found;

private:
  SymbolTable symbols;
};

} // namespace

SmallVector<WeightOp> lowbit::linearWeightsInOrder(ModuleOp module) {
  ExecutionWalk walk(module);
  for (auto function : module.getOps<func::FuncOp>())
    if (SymbolTable::symbolKnownUseEmpty(function, module) && !function.isExternal())
      walk.run(function, SmallVector<WeightOp>(function.getNumArguments()));
  walk.found.remove(WeightOp()); // handles of no name
  return walk.found.takeVector();
}
