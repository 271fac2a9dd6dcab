// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// pass-results: the borders of a function become memory.
#include "passes/function/Passes.h"

namespace halftone {
#define GEN_PASS_DEF_PASSRESULTS
#include "passes/function/Passes.h.inc"
} // namespace halftone

using namespace mlir;

/// The memory of a tensor; of one without elements a place that nobody touches: a pointer to memory of no size has no
/// strides, which passing bare pointers needs.
static MemRefType memoryOf(RankedTensorType tensor) {
  if (tensor.getNumElements() == 0)
    return MemRefType::get({1}, tensor.getElementType());
  return MemRefType::get(tensor.getShape(), tensor.getElementType());
}

static void passArgument(BlockArgument argument, OpBuilder &builder) {
  auto type = dyn_cast<RankedTensorType>(argument.getType());
  if (!type)
    return;
  argument.setType(memoryOf(type));
  if (type.getNumElements() == 0) {
    argument.replaceAllUsesWith(
        tensor::EmptyOp::create(builder, argument.getLoc(), type.getShape(), type.getElementType()));
    return;
  }
  auto read = bufferization::ToTensorOp::create(builder, argument.getLoc(), type, argument, /*restrict=*/true,
                                                /*writable=*/false);
  argument.replaceAllUsesExcept(read, read);
}

/// Makes what `init` overwrites anew where others overwrite it too. Shared, it would become the memory of one of the
/// results, and eliminating empty tensors does not see that another still lies there when that result arrives.
static void makeOwn(OpOperand &init) {
  Operation *maker = init.get().getDefiningOp();
  if (!isa_and_nonnull<tensor::EmptyOp, linalg::FillOp>(maker) || init.get().hasOneUse())
    return;
  OpBuilder builder(init.getOwner());
  Operation *own = builder.clone(*maker);
  init.set(own->getResult(0));
  if (auto fill = dyn_cast<linalg::FillOp>(own))
    makeOwn(fill.getDpsInitsMutable()[0]);
}

namespace {
struct PassResultsPass : halftone::impl::PassResultsBase<PassResultsPass> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    function.walk([](DestinationStyleOpInterface op) {
      for (OpOperand &init : op.getDpsInitsMutable())
        makeOwn(init);
    });
    Block &body = function.getBody().front();
    OpBuilder builder = OpBuilder::atBlockBegin(&body);
    for (BlockArgument argument : body.getArguments())
      passArgument(argument, builder);
    Operation *end = body.getTerminator();
    builder.setInsertionPoint(end);
    for (Value result : end->getOperands()) {
      auto type = cast<RankedTensorType>(result.getType());
      BlockArgument place = body.addArgument(memoryOf(type), result.getLoc());
      if (type.getNumElements() == 0)
        continue;
      bufferization::MaterializeInDestinationOp::create(builder, result.getLoc(), Type(), result, place,
                                                        /*restrict=*/true, /*writable=*/true);
    }
    end->setOperands(ValueRange());
    function.setFunctionType(builder.getFunctionType(body.getArgumentTypes(), {}));
    function.removeResAttrsAttr();
    if (ArrayAttr attributes = function.getArgAttrsAttr()) {
      SmallVector<Attribute> all(attributes.begin(), attributes.end());
      all.resize(body.getNumArguments(), builder.getDictionaryAttr({}));
      function.setArgAttrsAttr(builder.getArrayAttr(all));
    }
  }
};
} // namespace
