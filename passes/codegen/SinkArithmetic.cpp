// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Moves operations without effects down to the first operation that uses them.
#include "passes/codegen/Passes.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace halftone {
#define GEN_PASS_DEF_SINKARITHMETIC
#include "passes/codegen/Passes.h.inc"
} // namespace halftone

/// The first operation of `block` that uses a result of `op`, or holds one that does; null when another block has one.
static Operation *firstUser(Operation *op, Block &block) {
  Operation *first = nullptr;
  for (Operation *user : op->getUsers()) {
    Operation *here = block.findAncestorOpInBlock(*user);
    if (!here)
      return nullptr;
    if (!first || here->isBeforeInBlock(first))
      first = here;
  }
  return first;
}

static void sink(Block &block) {
  // From the last one up, so that what an operation uses follows it down.
  const SmallVector<Operation *> operations = llvm::map_to_vector(block, [](Operation &op) { return &op; });
  for (Operation *op : llvm::reverse(operations)) {
    if (op->getNumRegions() != 0 || !isPure(op))
      continue;
    if (Operation *user = firstUser(op, block))
      op->moveBefore(user);
  }
}

namespace {
class SinkArithmeticPass : public halftone::impl::SinkArithmeticBase<SinkArithmeticPass> {
public:
  void runOnOperation() override {
    getOperation().walk([](Block *block) { sink(*block); });
  }
};
} // namespace
