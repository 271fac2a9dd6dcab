// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks what holds after the fuse stage.
#include "passes/fuse/Passes.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_VERIFYFUSED
#include "passes/fuse/Passes.h.inc"
} // namespace halftone

/// Whether `op` may stand outside of kernels: it computes nothing on tokens.
static bool mayStandOutside(Operation &op) {
  if (isa<KernelOp, func::CallOp, func::ReturnOp, arith::ConstantOp, tensor::SplatOp>(op))
    return true;
  auto isData = [](Type type) { return isa<RankedTensorType, ActivationType>(type); };
  return llvm::none_of(op.getOperandTypes(), isData) && llvm::none_of(op.getResultTypes(), isData);
}

/// A kernel's constants are the same for all elements: others would be weights.
static LogicalResult verifyConstants(KernelOp kernel) {
  auto result = kernel.walk([](Operation *op) -> WalkResult {
    for (Value operand : op->getOperands()) {
      auto constant = operand.getDefiningOp<arith::ConstantOp>();
      if (constant && isa<RankedTensorType>(constant.getType()) && !isa<SplatElementsAttr>(constant.getValue()))
        return op->emitError("reads a constant whose elements differ; make it a weight");
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

namespace {
class VerifyFusedPass : public halftone::impl::VerifyFusedBase<VerifyFusedPass> {
public:
  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    for (Operation &op : getOperation().getBody().front()) {
      if (!mayStandOutside(op)) {
        op.emitError("computes on tokens but is in no kernel");
        return signalPassFailure();
      }
      if (auto kernel = dyn_cast<KernelOp>(op); kernel && failed(verifyConstants(kernel)))
        return signalPassFailure();
    }
  }
};
} // namespace
