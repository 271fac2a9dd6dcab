// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// bufferize-function: upstream's one-shot bufferization with copies that become loops.
#include "passes/function/Passes.h"

#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"

namespace halftone {
#define GEN_PASS_DEF_BUFFERIZEFUNCTION
#include "passes/function/Passes.h.inc"
} // namespace halftone

using namespace mlir;

namespace {
struct BufferizeFunctionPass : halftone::impl::BufferizeFunctionBase<BufferizeFunctionPass> {
  void runOnOperation() override {
    bufferization::OneShotBufferizationOptions options;
    options.bufferizeFunctionBoundaries = true;
    options.memCpyFn = [](OpBuilder &builder, Location loc, Value from, Value to) {
      if (from != to)
        linalg::makeMemRefCopyOp(builder, loc, from, to);
      return success();
    };
    bufferization::BufferizationState state;
    if (failed(bufferization::runOneShotModuleBufferize(getOperation(), options, state)))
      signalPassFailure();
  }
};
} // namespace
