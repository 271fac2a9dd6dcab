// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The phases of a dot product in the target's instruction.
#include "passes/codegen/Passes.h"
#include "passes/targets/Target.h"

#include "mlir/Transforms/WalkPatternRewriteDriver.h"

using namespace mlir;
using namespace halftone;

namespace halftone {
#define GEN_PASS_DEF_LOWERDOT
#include "passes/codegen/Passes.h.inc"
} // namespace halftone

namespace {

struct ExpandInit : OpRewritePattern<kernel::DotInitOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(kernel::DotInitOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = op.getAccumulator().getType();
    Value none = arith::ConstantOp::create(rewriter, loc, rewriter.getZeroAttr(type));
    if (!op.getZero()) {
      rewriter.replaceOp(op, none);
      return success();
    }
    auto spread = [&](Value scalar) { return vector::BroadcastOp::create(rewriter, loc, type, scalar); };
    Value zero = op.getZero();
    if (zero.getType() == type) {
      Value product = arith::MulIOp::create(rewriter, loc, zero, spread(op.getSum()));
      rewriter.replaceOpWithNewOp<arith::SubIOp>(op, none, product);
      return success();
    }
    Value product = arith::MulIOp::create(rewriter, loc, zero, op.getSum());
    Value negated = arith::SubIOp::create(
        rewriter, loc, arith::ConstantOp::create(rewriter, loc, rewriter.getI32IntegerAttr(0)), product);
    rewriter.replaceOp(op, spread(negated).getResult());
    return success();
  }
};

struct ExpandStep : OpRewritePattern<kernel::DotStepOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(kernel::DotStepOp op, PatternRewriter &rewriter) const override {
    const targets::DotInstruction *dot = targets::findDot(op.getInstruction());
    if (!dot || !targets::supports(targets::targetOf(op), *dot))
      return op.emitError("the target has no dot instruction '") << op.getInstruction() << "'";
    if (failed(checkOperands(op, *dot)))
      return failure();
    const int64_t lanes = op.getAccumulator().getType().getNumElements();
    const int64_t pieces = dot->vector == 0 ? 1 : std::max<int64_t>(lanes * 32 / dot->vector, 1);
    const auto part = [&](Value vector, int64_t piece) {
      return targets::pieceOf(rewriter, op.getLoc(), vector, piece, pieces);
    };
    SmallVector<Value> results;
    for (int64_t piece = 0; piece < pieces; ++piece)
      results.push_back(part(op.getAccumulator(), piece));
    // A vector of levels is used up, all pieces of it, before the next one, unless the instruction adds several up.
    const int64_t vectors = static_cast<int64_t>(op.getLevels().size()), atOnce = dot->vectors == 1 ? 1 : vectors;
    for (int64_t first = 0; first < vectors; first += atOnce)
      for (auto [piece, result] : llvm::enumerate(results)) {
        const SmallVector<Value> levels =
            llvm::map_to_vector(op.getLevels().slice(first, atOnce), [&](Value whole) { return part(whole, piece); });
        result =
            dot->step(rewriter, op.getLoc(), {result, levels, op.getActivations().slice(first, atOnce), highest(op)});
      }
    rewriter.replaceOp(op, targets::joinPieces(rewriter, op.getLoc(), op.getAccumulator().getType(), results));
    return success();
  }

private:
  /// Whether the instruction takes such levels and groups.
  static LogicalResult checkOperands(kernel::DotStepOp op, const targets::DotInstruction &dot) {
    auto levels = cast<VectorType>(op.getLevels().front().getType());
    auto group = cast<VectorType>(op.getActivations().front().getType());
    const unsigned bits = dot.plain ? formats::scalarBits(*dot.plain) : 8;
    if (isa<FloatType>(op.getAccumulator().getType().getElementType()) != dot.plain.has_value() ||
        levels.getElementTypeBitWidth() != bits || highest(op) > dot.highest || group.getNumElements() != dot.group)
      return op.emitError("the dot instruction '") << op.getInstruction() << "' does not take levels up to "
                                                   << highest(op) << " in " << levels << " with " << group;
    return success();
  }

  static int64_t highest(kernel::DotStepOp op) { return static_cast<int64_t>(op.getHighest()); }
};

struct ExpandFinish : OpRewritePattern<kernel::DotFinishOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(kernel::DotFinishOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value sum = arith::SIToFPOp::create(rewriter, loc, op.getTotal().getType(), op.getAccumulator());
    Value product = arith::MulFOp::create(rewriter, loc, sum, op.getScale(), arith::FastMathFlags::contract);
    rewriter.replaceOpWithNewOp<arith::AddFOp>(op, product, op.getTotal(), arith::FastMathFlags::contract);
    return success();
  }
};

class LowerDotPass : public halftone::impl::LowerDotBase<LowerDotPass> {
public:
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandInit, ExpandStep, ExpandFinish>(&getContext());
    walkAndApplyPatterns(getOperation(), std::move(patterns));
    auto left = getOperation()->walk([](kernel::DotStepOp) { return WalkResult::interrupt(); });
    if (left.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
