// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// verify-imported: what nobody recognised is the user's error to read.
#include "passes/import/Node.h"
#include "passes/import/Passes.h"

namespace halftone {
#define GEN_PASS_DEF_VERIFYIMPORTED
#include "passes/import/Passes.h.inc"
} // namespace halftone

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

namespace {
struct VerifyImportedPass : halftone::impl::VerifyImportedBase<VerifyImportedPass> {
  void runOnOperation() override {
    WalkResult result = getOperation().walk([](NodeOp node) {
      emitNodeError(node) << "this use of the operator is not understood";
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
