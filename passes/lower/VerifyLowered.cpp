// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks what holds after the lower stage.
#include "passes/codegen/targets/Target.h"
#include "passes/lower/Passes.h"

using namespace mlir;
using namespace halftone;

namespace halftone {
#define GEN_PASS_DEF_VERIFYLOWERED
#include "passes/lower/Passes.h.inc"
} // namespace halftone

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
      if (isa<lowbit::LowbitDialect>(op->getDialect()))
        return op->emitError("is left after the lower stage"), WalkResult::interrupt();
      return verifyInstruction(op);
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
