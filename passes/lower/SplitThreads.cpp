// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A parallel loop becomes a thread's share of it.
#include "passes/lower/Passes.h"

using namespace mlir;
using namespace halftone;

namespace halftone {
#define GEN_PASS_DEF_SPLITTHREADS
#include "passes/lower/Passes.h.inc"
} // namespace halftone

/// iterations * thread / threads: where a thread's share begins, and the share before it ends.
static Value boundary(OpBuilder &builder, Location loc, Value iterations, Value thread, Value threads) {
  Value product = arith::MulIOp::create(builder, loc, iterations, thread);
  return arith::DivUIOp::create(builder, loc, product, threads);
}

static LogicalResult check(scf::ForallOp loop) {
  if (loop.getRank() != 1)
    return loop.emitError("only loops of one dimension are split among threads, not of ") << loop.getRank();
  if (!loop.isNormalized())
    return loop.emitError("only loops from 0 in steps of 1 are split among threads");
  if (!loop.getOutputs().empty())
    return loop.emitError("only loops without results are split among threads: each writes to memory");
  return success();
}

static void split(scf::ForallOp loop) {
  OpBuilder builder(loop);
  Location loc = loop.getLoc();
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  Value iterations = loop.getUpperBound(builder).front();
  Value thread = kernel::ThreadOp::create(builder, loc, builder.getIndexType());
  Value threads = kernel::ThreadsOp::create(builder, loc, builder.getIndexType());
  Value first = boundary(builder, loc, iterations, thread, threads);
  Value last = boundary(builder, loc, iterations, arith::AddIOp::create(builder, loc, thread, one), threads);
  auto share = scf::ForOp::create(builder, loc, first, last, one);
  Block *body = loop.getBody();
  body->getTerminator()->erase();
  body->getArgument(0).replaceAllUsesWith(share.getInductionVar());
  share.getBody()->getOperations().splice(share.getBody()->begin(), body->getOperations());
  loop.erase();
}

namespace {
class SplitThreadsPass : public halftone::impl::SplitThreadsBase<SplitThreadsPass> {
public:
  void runOnOperation() override {
    getOperation().walk([&](scf::ForallOp loop) {
      if (succeeded(check(loop)))
        split(loop);
      else
        signalPassFailure();
    });
  }
};
} // namespace
