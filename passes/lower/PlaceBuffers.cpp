// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Replaces the values between kernels by buffers.
#include "passes/lower/Passes.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_PLACEBUFFERS
#include "passes/lower/Passes.h.inc"
} // namespace halftone

namespace {

using Buffers = SmallVector<Value, 3>;

MemRefType bufferType(RankedTensorType tensor) { return kernel::bufferTypes(tensor).front(); }

/// Places the buffers of one function.
class Placer {
public:
  explicit Placer(func::FuncOp function) : function(function) {}

  void run() {
    takeArguments();
    for (Operation &op : llvm::make_early_inc_range(function.getBody().front()))
      if (auto kernel = dyn_cast<KernelOp>(op))
        place(kernel);
      else if (auto call = dyn_cast<func::CallOp>(op))
        place(call);
    finish();
  }

private:
  /// Tensors among the arguments become buffers; results become further arguments.
  void takeArguments() {
    Block &body = function.getBody().front();
    SmallVector<Value> arguments(body.getArguments());
    for (Value argument : arguments)
      if (auto tensor = dyn_cast<RankedTensorType>(argument.getType())) {
        argument.setType(bufferType(tensor));
        buffers[argument] = {argument};
      }
    auto terminator = cast<func::ReturnOp>(body.getTerminator());
    for (auto [result, type] : llvm::zip(terminator.getOperands(), function.getResultTypes())) {
      Value out = body.addArgument(bufferType(cast<RankedTensorType>(type)), result.getLoc());
      outs.push_back({result, out});
    }
  }

  /// Fresh buffers for `value`, or the function's own for a value that it returns.
  Buffers allocate(Value value, OpBuilder &builder) {
    for (auto &[result, out] : outs)
      if (result == value)
        return buffers[value] = {out};
    Buffers fresh;
    for (MemRefType type : kernel::bufferTypes(value.getType()))
      fresh.push_back(memref::AllocOp::create(builder, value.getLoc(), type));
    return buffers[value] = fresh;
  }

  void place(KernelOp kernel) {
    OpBuilder builder(kernel);
    SmallVector<Value> memory;
    for (Value result : kernel.getResults())
      llvm::append_range(memory, allocate(result, builder));
    auto placed = KernelOp::create(builder, kernel.getLoc(), TypeRange(), memory);
    placed->setDiscardableAttrs(kernel->getDiscardableAttrDictionary());
    placed.getBody().takeBody(kernel.getBody());
    readThroughBuffers(placed);
    obsolete.push_back(kernel);
  }

  /// Inside a kernel, values from outside are read from their buffers.
  void readThroughBuffers(KernelOp kernel) {
    OpBuilder builder = OpBuilder::atBlockBegin(&kernel.getBody().front());
    DenseMap<Value, Value> inside;
    kernel.walk([&](Operation *op) {
      for (OpOperand &use : op->getOpOperands()) {
        auto found = buffers.find(use.get());
        if (found == buffers.end() || isa<bufferization::ToTensorOp, kernel::ActivationOp>(op))
          continue;
        Value &local = inside[use.get()];
        if (!local)
          local = read(use.get(), found->second, builder);
        use.set(local);
      }
    });
  }

  Value read(Value value, const Buffers &memory, OpBuilder &builder) {
    if (memory.size() == 3)
      return kernel::ActivationOp::create(builder, value.getLoc(), value.getType(), memory[0], memory[1], memory[2]);
    auto type = cast<MemRefType>(memory[0].getType());
    return bufferization::ToTensorOp::create(builder, value.getLoc(),
                                             RankedTensorType::get(type.getShape(), type.getElementType()), memory[0],
                                             /*restrict=*/true);
  }

  void place(func::CallOp call) {
    OpBuilder builder(call);
    SmallVector<Value> operands;
    for (Value operand : call.getOperands()) {
      auto found = buffers.find(operand);
      operands.push_back(found == buffers.end() ? operand : found->second.front());
    }
    for (Value result : call.getResults())
      llvm::append_range(operands, allocate(result, builder));
    func::CallOp::create(builder, call.getLoc(), call.getCallee(), TypeRange(), operands);
    obsolete.push_back(call);
  }

  void finish() {
    Block &body = function.getBody().front();
    OpBuilder builder(body.getTerminator());
    for (auto &[result, out] : outs)
      if (buffers[result].front() != out)
        copy(buffers[result].front(), out, builder);
    body.getTerminator()->setOperands({});
    for (Operation *op : llvm::reverse(obsolete)) {
      op->dropAllUses();
      op->erase();
    }
    function.setType(FunctionType::get(function.getContext(), body.getArgumentTypes(), {}));
    function.setAllArgAttrs(SmallVector<Attribute>(body.getNumArguments(), DictionaryAttr::get(function.getContext())));
  }

  /// For a value that is returned twice, or an argument: every thread writes the same bytes.
  static void copy(Value from, Value to, OpBuilder &builder) {
    memref::CopyOp::create(builder, to.getLoc(), from, to);
    kernel::BarrierOp::create(builder, to.getLoc(), IntegerAttr());
  }

  func::FuncOp function;
  DenseMap<Value, Buffers> buffers;
  SmallVector<std::pair<Value, Value>> outs;
  SmallVector<Operation *> obsolete;
};

/// Whether buffers hold what kernels, calls and functions give: tensors, and a kernel's activations.
LogicalResult checkHeld(func::FuncOp function) {
  auto check = [](Operation *op, TypeRange types) -> WalkResult {
    for (Type type : types)
      if (!isa<RankedTensorType>(type) && !(isa<KernelOp>(op) && isa<ActivationType>(type)))
        return op->emitError("gives ") << type << ", which no buffer holds";
    return WalkResult::advance();
  };
  auto result = function.walk([&](Operation *op) -> WalkResult {
    if (isa<func::ReturnOp>(op))
      return check(op, op->getOperandTypes());
    return isa<KernelOp, func::CallOp>(op) ? check(op, op->getResultTypes()) : WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

class PlaceBuffersPass : public halftone::impl::PlaceBuffersBase<PlaceBuffersPass> {
public:
  using PlaceBuffersBase::PlaceBuffersBase;

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (failed(checkHeld(function)))
        return signalPassFailure();
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal())
        Placer(function).run();
  }
};

} // namespace
