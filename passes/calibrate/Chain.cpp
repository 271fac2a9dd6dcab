// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading the chain off the calls of the forward function.
#include "passes/calibrate/Chain.h"
#include "passes/calibrate/Entry.h"
#include "passes/calibrate/Observed.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::calibrate;
using namespace halftone::lowbit;

static Gather gathered(ObserveOp op) {
  Gather all = Gather::nothing;
  for (auto what : op.getGather().getAsValueRange<StringAttr>())
    all = all | llvm::StringSwitch<Gather>(what)
                    .Case("hessian", Gather::hessian)
                    .Case("magnitude", Gather::magnitude)
                    .Case("range", Gather::range);
  return all;
}

namespace {

class ChainReader {
public:
  explicit ChainReader(ModuleOp module) : symbols(module) {}

  FailureOr<Chain> read(func::FuncOp entry) {
    for (BlockArgument argument : entry.getArguments())
      if (isa<RankedTensorType>(argument.getType()))
        number(argument);
    chain.inputs = chain.values.size();
    for (Operation &op : entry.getBody().front().without_terminator()) {
      if (auto call = dyn_cast<func::CallOp>(op))
        chain.steps.push_back(readStep(call));
      else if (!isa<GetOp>(op) && !op.hasTrait<OpTrait::ConstantLike>())
        return op.emitOpError("stands between calls, where a chain has none");
    }
    return std::move(chain);
  }

private:
  ValueId number(Value value) {
    auto [entry, isNew] = ids.try_emplace(value, chain.values.size());
    if (isNew) {
      auto type = cast<RankedTensorType>(value.getType());
      ChainValue &made = chain.values.emplace_back();
      for (int64_t size : type.getShape().drop_front())
        made.channels *= size;
      made.elementBytes = type.getElementTypeBitWidth() / 8;
    }
    return entry->second;
  }

  static std::string weightName(Value handle) {
    auto get = handle.getDefiningOp<GetOp>();
    return get ? get.getName().str() : "";
  }

  Step readStep(func::CallOp call) {
    Step step;
    step.function = call.getCallee().str();
    for (Value operand : call.getOperands()) {
      if (isa<WeightType>(operand.getType())) {
        step.arguments.push_back({{}, weightName(operand)});
      } else if (isa<RankedTensorType>(operand.getType())) {
        const ValueId id = number(operand);
        chain.values[id].lastUse = chain.steps.size();
        step.arguments.push_back({id, ""});
      }
    }
    for (Value result : call.getResults())
      step.results.push_back(number(result));
    readObserved(call, step);
    return step;
  }

  void readObserved(func::CallOp call, Step &step) {
    symbols.lookup<func::FuncOp>(call.getCallee()).walk([&](ObserveOp op) {
      Observed &observed = step.observed.emplace_back();
      observed.function = observedName(step.function, step.observed.size() - 1);
      observed.channels = op.getInput().getType().getDimSize(1);
      if (Value residual = residualOf(op))
        observed.residualChannels = cast<ShapedType>(residual.getType()).getDimSize(1);
      observed.gather = gathered(op);
      for (Operation *user : op.getInput().getUsers())
        if (auto linear = dyn_cast<LinearOp>(user))
          if (auto argument = dyn_cast<BlockArgument>(linear.getWeight()))
            if (std::string name = weightName(call.getOperand(argument.getArgNumber())); !name.empty())
              observed.weights.push_back(std::move(name));
    });
  }

  SymbolTable symbols;
  Chain chain;
  DenseMap<Value, ValueId> ids;
};

} // namespace

FailureOr<Chain> calibrate::readChain(ModuleOp module) {
  FailureOr<func::FuncOp> entry = entryOf(module);
  if (failed(entry))
    return failure();
  return ChainReader(module).read(*entry);
}
