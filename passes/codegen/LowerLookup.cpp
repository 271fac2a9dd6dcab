// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Table lookups by the byte shuffle of the target, or by selection.
#include "passes/codegen/Passes.h"
#include "passes/targets/Target.h"

#include "mlir/Transforms/WalkPatternRewriteDriver.h"

using namespace mlir;
using namespace halftone;

namespace halftone {
#define GEN_PASS_DEF_LOWERLOOKUP
#include "passes/codegen/Passes.h.inc"
} // namespace halftone

namespace {

/// What a lookup instruction's table holds, again and again.
constexpr int64_t tableBytes = 16;

struct ExpandLookup : OpRewritePattern<kernel::LookupOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(kernel::LookupOp op, PatternRewriter &rewriter) const override {
    const int64_t bits = 8 * op.getResult().getType().getNumElements();
    if (const targets::LookupInstruction *lookup = targets::chooseLookup(targets::targetOf(op), bits))
      byInstruction(op, *lookup, bits / lookup->vector, rewriter);
    else
      bySelection(op, rewriter);
    return success();
  }

private:
  static void byInstruction(kernel::LookupOp op, const targets::LookupInstruction &lookup, int64_t pieces,
                            PatternRewriter &rewriter) {
    Location loc = op.getLoc();
    ArrayRef<int8_t> entries = op.getTable();
    SmallVector<int8_t> repeated(lookup.vector / 8);
    for (auto [i, entry] : llvm::enumerate(repeated))
      entry = entries[i % tableBytes % entries.size()];
    auto type = VectorType::get({lookup.vector / 8}, rewriter.getI8Type());
    Value table = arith::ConstantOp::create(rewriter, loc, DenseElementsAttr::get(type, ArrayRef(repeated)));
    SmallVector<Value> results;
    for (int64_t piece = 0; piece < pieces; ++piece) {
      Value codes = targets::pieceOf(rewriter, loc, op.getCodes(), piece, pieces);
      auto call = LLVM::CallIntrinsicOp::create(rewriter, loc, type, rewriter.getStringAttr(lookup.intrinsic),
                                                ValueRange{table, codes});
      results.push_back(call.getResult(0));
    }
    rewriter.replaceOp(op, targets::joinPieces(rewriter, loc, op.getResult().getType(), results));
  }

  static void bySelection(kernel::LookupOp op, PatternRewriter &rewriter) {
    auto type = op.getResult().getType();
    auto splat = [&](int8_t value) -> Value {
      return arith::ConstantOp::create(rewriter, op.getLoc(), DenseElementsAttr::get(type, value));
    };
    Value result = splat(op.getTable()[0]);
    for (auto [code, entry] : llvm::drop_begin(llvm::enumerate(op.getTable()))) {
      Value isCode = arith::CmpIOp::create(rewriter, op.getLoc(), arith::CmpIPredicate::eq, op.getCodes(),
                                           splat(static_cast<int8_t>(code)));
      result = arith::SelectOp::create(rewriter, op.getLoc(), isCode, splat(entry), result);
    }
    rewriter.replaceOp(op, result);
  }
};

class LowerLookupPass : public halftone::impl::LowerLookupBase<LowerLookupPass> {
public:
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandLookup>(&getContext());
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

} // namespace
