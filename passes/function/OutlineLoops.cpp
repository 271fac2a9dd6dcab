// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// outline-loops: equal loop nests are compiled once.
#include "passes/function/Passes.h"

#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"

#include "llvm/ADT/SetVector.h"

namespace halftone {
#define GEN_PASS_DEF_OUTLINELOOPS
#include "passes/function/Passes.h.inc"
} // namespace halftone

using namespace mlir;

/// What `op` reads and writes: operands, and what its region uses of the values around it.
static llvm::SetVector<Value> valuesOf(Operation *op) {
  llvm::SetVector<Value> values(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), values);
  return values;
}

/// Whether `value` can be an argument: memory whose layout is known, which a bare pointer brings.
static bool canPass(Value value) {
  auto memory = dyn_cast<MemRefType>(value.getType());
  SmallVector<int64_t> strides;
  int64_t offset = 0;
  return !memory || (succeeded(memory.getStridesAndOffset(strides, offset)) && !ShapedType::isDynamic(offset) &&
                     llvm::none_of(strides, ShapedType::isDynamic));
}

/// Moves `op` into the function `name` and calls it in its place. Constants go along.
static void outline(Operation *op, StringRef name, OpBuilder &functions) {
  SmallVector<Value> arguments;
  SmallVector<Operation *> constants;
  for (Value value : valuesOf(op))
    if (matchPattern(value, m_Constant()))
      constants.push_back(value.getDefiningOp());
    else
      arguments.push_back(value);
  auto type = functions.getFunctionType(TypeRange(arguments), {});
  auto function = func::FuncOp::create(functions, op->getLoc(), name, type);
  function.setPrivate();
  // Inlined, equal loops would be compiled again at each call.
  function->setAttr("passthrough", functions.getStrArrayAttr({"noinline"}));
  IRMapping mapping;
  mapping.map(arguments, function.addEntryBlock()->getArguments());
  OpBuilder inside = OpBuilder::atBlockEnd(&function.getBody().front());
  for (Operation *constant : constants)
    inside.clone(*constant, mapping);
  inside.clone(*op, mapping);
  func::ReturnOp::create(inside, op->getLoc());
  OpBuilder outside(op);
  func::CallOp::create(outside, op->getLoc(), function, arguments);
  op->erase();
}

namespace {
struct OutlineLoopsPass : halftone::impl::OutlineLoopsBase<OutlineLoopsPass> {
  void runOnOperation() override {
    SmallVector<Operation *> loops;
    getOperation().walk([&](linalg::LinalgOp op) {
      if (llvm::all_of(valuesOf(op), canPass))
        loops.push_back(op);
    });
    OpBuilder functions = OpBuilder::atBlockBegin(getOperation().getBody());
    for (auto [i, op] : llvm::enumerate(loops))
      outline(op, ("loops_" + Twine(i)).str(), functions);
  }
};
} // namespace
