// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Table lookups by the byte shuffle of the target, or by selection.
#include "passes/codegen/Passes.h"
#include "passes/codegen/targets/Target.h"

#include "mlir/Transforms/WalkPatternRewriteDriver.h"

using namespace mlir;
using namespace halftone;

namespace halftone {
#define GEN_PASS_DEF_LOWERLOOKUP
#include "passes/codegen/Passes.h.inc"
} // namespace halftone

namespace {

/// A byte shuffle of LLVM: its vector width, its intrinsic, the features it needs. Each 16-byte lane holds the table.
struct Shuffle {
  int64_t bytes;
  llvm::StringLiteral intrinsic;
  llvm::StringLiteral features;
};
constexpr Shuffle shuffles[] = {
    {16, "llvm.x86.ssse3.pshuf.b.128", "ssse3"},
    {32, "llvm.x86.avx2.pshuf.b", "avx2"},
    {64, "llvm.x86.avx512.pshuf.b.512", "avx512bw"},
};
constexpr int64_t tableBytes = 16;

struct ExpandLookup : OpRewritePattern<kernel::LookupOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(kernel::LookupOp op, PatternRewriter &rewriter) const override {
    const int64_t bytes = op.getResult().getType().getNumElements();
    for (const Shuffle &shuffle : shuffles)
      if (shuffle.bytes == bytes && targets::hasFeatures(targets::targetOf(op), shuffle.features)) {
        byShuffle(op, shuffle, rewriter);
        return success();
      }
    bySelection(op, rewriter);
    return success();
  }

private:
  static void byShuffle(kernel::LookupOp op, const Shuffle &shuffle, PatternRewriter &rewriter) {
    ArrayRef<int8_t> entries = op.getTable();
    SmallVector<int8_t> repeated(shuffle.bytes);
    for (int64_t i = 0; i < shuffle.bytes; ++i)
      repeated[i] = entries[i % tableBytes % entries.size()];
    auto type = op.getResult().getType();
    Value table = arith::ConstantOp::create(rewriter, op.getLoc(), DenseElementsAttr::get(type, ArrayRef(repeated)));
    auto call = LLVM::CallIntrinsicOp::create(rewriter, op.getLoc(), type, rewriter.getStringAttr(shuffle.intrinsic),
                                              ValueRange{table, op.getCodes()});
    rewriter.replaceOp(op, call.getResults());
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
