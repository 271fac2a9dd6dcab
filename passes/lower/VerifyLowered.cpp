// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks what holds after the lower stage.
#include "passes/lower/Passes.h"
#include "passes/targets/Target.h"

using namespace mlir;
using namespace halftone;

namespace halftone {
#define GEN_PASS_DEF_VERIFYLOWERED
#include "passes/lower/Passes.h.inc"
} // namespace halftone

/// Whether the stage should have replaced `op`: what is on handles or tensors, or needs memory or threads of its own.
static bool isLeftOver(Operation *op) {
  if (isa_and_nonnull<lowbit::LowbitDialect, bufferization::BufferizationDialect>(op->getDialect()))
    return true;
  if (isa<memref::AllocOp, scf::ForallOp, kernel::MemoryOp, kernel::KeysOp, kernel::ValuesOp, kernel::ActivationOp,
          kernel::ThreadOp, kernel::ThreadsOp, kernel::TokensOp, kernel::BarrierOp>(op))
    return true;
  auto isAbstract = [](Type type) { return isa<TensorType>(type) || isa<lowbit::LowbitDialect>(type.getDialect()); };
  return llvm::any_of(op->getOperandTypes(), isAbstract) || llvm::any_of(op->getResultTypes(), isAbstract);
}

/// Whether the target can run the operation's dot instruction; says why not.
static LogicalResult verifyInstruction(Operation *op) {
  auto name = op->getAttrOfType<StringAttr>("instruction");
  if (!name)
    return success();
  const targets::DotInstruction *instruction = targets::findDot(name);
  if (!instruction)
    return op->emitError("no target has the dot instruction ") << name;
  kernel::TargetAttr target = targets::targetOf(op);
  if (!targets::supports(target, *instruction))
    return op->emitError("the dot instruction ")
           << name << " needs " << (instruction->features.empty() ? "wider vectors" : instruction->features)
           << ", which the target " << target << " lacks";
  return success();
}

namespace {
class VerifyLoweredPass : public halftone::impl::VerifyLoweredBase<VerifyLoweredPass> {
public:
  void runOnOperation() override {
    auto result = getOperation().walk([](Operation *op) -> WalkResult {
      if (isLeftOver(op))
        return op->emitError("is left after the lower stage"), WalkResult::interrupt();
      return verifyInstruction(op);
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
