// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One function per observed value.
#include "passes/calibrate/Observed.h"
#include "passes/calibrate/Passes.h"

#include "mlir/IR/SymbolTable.h"

using namespace mlir;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_SPLITOBSERVATIONS
#include "passes/calibrate/Passes.h.inc"

std::string calibrate::observedName(StringRef function, size_t index) {
  return (function + ".observed." + Twine(index)).str();
}

Value calibrate::residualOf(ObserveOp observation) {
  SmallVector<LinearOp> readers;
  for (Operation *user : observation.getInput().getUsers())
    if (auto linear = dyn_cast<LinearOp>(user))
      readers.push_back(linear);
  if (readers.size() != 1)
    return {};
  Value output = readers.front().getResult();
  while (output.hasOneUse() && isa<AddBiasOp>(*output.user_begin()))
    output = output.user_begin()->getResult(0);
  auto sum = output.hasOneUse() ? dyn_cast<arith::AddFOp>(*output.user_begin()) : arith::AddFOp();
  if (!sum)
    return {};
  return sum.getLhs() == output ? sum.getRhs() : sum.getLhs();
}

namespace {

SmallVector<ObserveOp> observationsOf(func::FuncOp function) {
  SmallVector<ObserveOp> found;
  function.walk([&](ObserveOp op) { found.push_back(op); });
  return found;
}

/// Makes `function` return what its observation `index` sees, and its residual if it has one.
void returnObserved(func::FuncOp function, size_t index) {
  ObserveOp observation = observationsOf(function)[index];
  SmallVector<Value> seen{observation.getInput()};
  if (Value residual = calibrate::residualOf(observation))
    seen.push_back(residual);
  Operation *end = function.getBody().front().getTerminator();
  end->setOperands(seen);
  function.setType(FunctionType::get(function.getContext(), function.getArgumentTypes(), ValueRange(seen).getTypes()));
}

class SplitObservationsPass : public impl::SplitObservationsBase<SplitObservationsPass> {
public:
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    for (auto function : llvm::to_vector(getOperation().getOps<func::FuncOp>())) {
      for (size_t i = 0, count = observationsOf(function).size(); i < count; ++i) {
        func::FuncOp clone = function.clone();
        clone.setName(calibrate::observedName(function.getName(), i));
        symbols.insert(clone);
        returnObserved(clone, i);
      }
    }
    getOperation().walk([](ObserveOp op) { op.erase(); });
  }
};

} // namespace
} // namespace halftone
