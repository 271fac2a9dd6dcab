// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a value to what makes it and what reads it, until nothing new is found.
#include "passes/prepare/RotationGroup.h"

#include "mlir/IR/Matchers.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

/// Whether `value` is one number everywhere.
static bool isUniform(Value value) {
  DenseElementsAttr constant;
  return value.getDefiningOp<tensor::SplatOp>() || (matchPattern(value, m_Constant(&constant)) && constant.isSplat());
}

/// The side of a product that is no number, when the other one is.
static SmallVector<Value> scaledSide(arith::MulFOp product) {
  SmallVector<Value> sides =
      llvm::filter_to_vector(product->getOperands(), [](Value side) { return !isUniform(side); });
  return sides.size() == 1 ? sides : SmallVector<Value>();
}

/// The operands that are rotated when the result of `op` is; none when it does not commute with rotations.
static SmallVector<Value> rotatedOperands(Operation *op) {
  using Values = SmallVector<Value>;
  return llvm::TypeSwitch<Operation *, Values>(op)
      .Case<arith::AddFOp, arith::SubFOp, arith::NegFOp, tensor::CastOp>(
          [](Operation *linear) { return llvm::to_vector(linear->getOperands()); })
      .Case([](arith::MulFOp product) { return scaledSide(product); })
      .Case([](arith::DivFOp quotient) { return isUniform(quotient.getRhs()) ? Values{quotient.getLhs()} : Values(); })
      .Case([](RmsNormOp norm) { return norm.getScale() ? Values() : Values{norm.getInput()}; })
      .Case([](AddBiasOp sum) { return Values{sum.getInput()}; })
      .Default(Values());
}

namespace {

class Growth {
public:
  Growth(const RotationGroups &groups, RotatedPart part, std::optional<RotationObstacle> &obstacle)
      : groups(groups), part(part), obstacle(obstacle) {}

  LogicalResult grow(Value seed) {
    group.values.insert(seed);
    for (size_t i = 0; i < group.values.size(); ++i) { // grows while it is read
      const Value value = group.values[i];
      if (failed(visitMaker(value)))
        return failure();
      for (OpOperand &use : value.getUses())
        if (failed(visitReader(use)))
          return failure();
    }
    return success();
  }

  RotationGroup group;

private:
  LogicalResult refuse(Location where, const Twine &why) {
    obstacle = {where, why.str()};
    return failure();
  }

  LogicalResult include(Value value) {
    group.values.insert(value);
    return success();
  }

  LogicalResult include(ValueRange values) {
    group.values.insert_range(values);
    return success();
  }

  /// Notes that a weight must be rotated.
  LogicalResult rotate(OpOperand &weight, llvm::SetVector<OpOperand *> &side) {
    if (!cast<WeightType>(weight.get().getType()).getFormat().getValue().isPlain())
      return refuse(weight.getOwner()->getLoc(), "the weight here is quantized already");
    side.insert(&weight);
    return success();
  }

  LogicalResult visitMaker(Value value) {
    if (auto argument = dyn_cast<BlockArgument>(value))
      return visitArgument(argument);
    return llvm::TypeSwitch<Operation *, LogicalResult>(value.getDefiningOp())
        .Case([&](func::CallOp call) {
          func::FuncOp callee = groups.calleeOf(call);
          if (!callee)
            return refuse(call.getLoc(), "a function that is not here makes it");
          const unsigned number = cast<OpResult>(value).getResultNumber();
          return include(callee.getBody().back().getTerminator()->getOperand(number));
        })
        .Case([&](EmbeddingOp embedding) { return rotate(embedding.getTableMutable(), group.columns); })
        .Case([&](LinearOp linear) { return rotate(linear.getWeightMutable(), group.rows); })
        .Case([&](GetOp get) { return include(groups.handlesOf(get)); })
        .Case([&](AttentionOp attention) {
          return part == RotatedPart::Heads ? include(attention.getCache())
                                            : refuse(attention.getLoc(), "attention makes it, head by head");
        })
        .Default([&](Operation *op) { return visitCommuting(op, value); });
  }

  LogicalResult visitArgument(BlockArgument argument) {
    auto function = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
    if (!function || groups.callsOf(function).empty())
      return refuse(argument.getLoc(), "it comes from outside of the model");
    for (func::CallOp call : groups.callsOf(function))
      (void)include(call.getOperand(argument.getArgNumber()));
    return success();
  }

  LogicalResult visitReader(OpOperand &use) {
    return llvm::TypeSwitch<Operation *, LogicalResult>(use.getOwner())
        .Case([&](func::CallOp call) {
          func::FuncOp callee = groups.calleeOf(call);
          return callee ? include(callee.getArgument(use.getOperandNumber()))
                        : refuse(call.getLoc(), "a function that is not here reads it");
        })
        .Case([&](func::ReturnOp end) { return visitReturn(end, use.getOperandNumber()); })
        .Case([&](LinearOp linear) { return rotate(linear.getWeightMutable(), group.columns); })
        .Case([&](tensor::DimOp) { return success(); })
        .Case([&](AppendOp append) { return visitAppend(append, use); })
        .Case([&](AttentionOp attention) {
          return &use == &attention.getCacheMutable() ? include(attention.getResult())
                                                      : refuse(attention.getLoc(), "attention reads it, head by head");
        })
        .Default([&](Operation *op) { return visitCommuting(op, use.get()); });
  }

  LogicalResult visitReturn(func::ReturnOp end, unsigned number) {
    ArrayRef<func::CallOp> calls = groups.callsOf(cast<func::FuncOp>(end->getParentOp()));
    if (calls.empty())
      return refuse(end.getLoc(), "it leaves the model");
    for (func::CallOp call : calls)
      (void)include(call.getResult(number));
    return success();
  }

  /// Keys meet queries, which would have to be rotated alike behind the rotary embedding.
  LogicalResult visitAppend(AppendOp append, OpOperand &use) {
    if (part != RotatedPart::Heads || &use == &append.getKeysMutable())
      return refuse(append.getLoc(), "a cache takes it, head by head");
    return include({append.getValues(), append.getCache()});
  }

  /// \param op reads or makes `value`.
  LogicalResult visitCommuting(Operation *op, Value value) {
    SmallVector<Value> operands = rotatedOperands(op);
    if (operands.empty()) {
      auto norm = dyn_cast<RmsNormOp>(op);
      return refuse(op->getLoc(), norm ? "this norm still has its scale (fold-norm-scale)"
                                       : "'" + op->getName().getStringRef() + "' tells its channels apart");
    }
    if (auto sum = dyn_cast<AddBiasOp>(op))
      group.rows.insert(&sum.getBiasMutable());
    (void)include(operands);
    return include(op->getResult(0));
  }

  const RotationGroups &groups;
  RotatedPart part;
  std::optional<RotationObstacle> &obstacle;
};

} // namespace

RotationGroups::RotationGroups(ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>())
    functions[function.getSymNameAttr()] = function;
  module.walk([&](Operation *op) {
    if (auto call = dyn_cast<func::CallOp>(op))
      calls[call.getCalleeAttr().getAttr()].push_back(call);
    else if (auto get = dyn_cast<GetOp>(op))
      handles[get.getNameAttr().getAttr()].push_back(get.getHandle());
  });
}

ArrayRef<func::CallOp> RotationGroups::callsOf(func::FuncOp function) const {
  auto found = calls.find(function.getSymNameAttr());
  return found == calls.end() ? ArrayRef<func::CallOp>() : found->second;
}

func::FuncOp RotationGroups::calleeOf(func::CallOp call) const {
  func::FuncOp callee = functions.lookup(call.getCalleeAttr().getAttr());
  return callee && !callee.isExternal() ? callee : func::FuncOp();
}

ArrayRef<Value> RotationGroups::handlesOf(GetOp get) const { return handles.find(get.getNameAttr().getAttr())->second; }

FailureOr<RotationGroup> RotationGroups::find(Value seed, RotatedPart part,
                                              std::optional<RotationObstacle> &obstacle) const {
  Growth growth(*this, part, obstacle);
  if (failed(growth.grow(seed)))
    return failure();
  return std::move(growth.group);
}
