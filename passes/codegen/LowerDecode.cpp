// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fields of packed lines by shifts and masks of bytes; zero points in 32-bit lanes.
#include "passes/codegen/Passes.h"

#include "mlir/Transforms/WalkPatternRewriteDriver.h"

using namespace mlir;
using namespace halftone;

namespace halftone {
#define GEN_PASS_DEF_LOWERDECODE
#include "passes/codegen/Passes.h.inc"
} // namespace halftone

namespace {

/// Integer arithmetic on all lanes of one vector type.
struct Lanes {
  OpBuilder &builder;
  Location loc;
  VectorType type;

  Value constant(int64_t value) {
    auto element = IntegerAttr::get(type.getElementType(), value);
    return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, element));
  }
  Value shiftRight(Value x, int64_t by) {
    return by == 0 ? x : arith::ShRUIOp::create(builder, loc, x, constant(by)).getResult();
  }
  Value shiftLeft(Value x, int64_t by) {
    return by == 0 ? x : arith::ShLIOp::create(builder, loc, x, constant(by)).getResult();
  }
  Value mask(Value x, int64_t bits) { return arith::AndIOp::create(builder, loc, x, constant(bits)); }
  Value join(Value a, Value b) { return a ? arith::OrIOp::create(builder, loc, a, b).getResult() : b; }
};

struct ExpandDecode : OpRewritePattern<kernel::DecodeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(kernel::DecodeOp op, PatternRewriter &rewriter) const override {
    const formats::Format &format = op.getFormat().getValue();
    if (format.isPlain() || format.code.bits == 8) {
      rewriter.replaceOp(op, op.getLines());
      return success();
    }
    Lanes bytes{rewriter, op.getLoc(), cast<VectorType>(op.getCodes().front().getType())};
    SmallVector<Value> codes(op.getCodes().size());
    auto line = op.getLines().begin();
    for (const formats::Plane &plane : formats::planes(format.code.bits)) {
      const int64_t perLine = plane.vectorsPerLine();
      for (size_t first = 0; first < codes.size(); first += perLine, ++line) {
        for (size_t j = first; j < std::min(first + perLine, codes.size()); ++j) {
          const auto place = static_cast<int64_t>(j - first);
          Value field = bytes.shiftRight(*line, place * plane.bits);
          if (place < perLine - 1) // nothing lies above the last one
            field = bytes.mask(field, (1 << plane.bits) - 1);
          codes[j] = bytes.join(codes[j], bytes.shiftLeft(field, plane.low));
        }
      }
    }
    rewriter.replaceOp(op, codes);
    return success();
  }
};

/// Lane l's zero point begins at bit l * bits: spread the bytes that hold it, shift, mask.
struct ExpandDecodeZeros : OpRewritePattern<kernel::DecodeZerosOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(kernel::DecodeZerosOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    const int64_t bits = op.getFormat().getValue().code.bits;
    auto type = op.getZeros().getType();
    const int64_t lanes = type.getNumElements(), bytes = op.getBytes().getType().getNumElements();
    // A code may straddle two bytes.
    SmallVector<int64_t> low, high;
    SmallVector<Attribute> shifts;
    for (int64_t l = 0; l < lanes; ++l) {
      low.push_back(l * bits / 8);
      high.push_back(std::min(l * bits / 8 + 1, bytes - 1));
      shifts.push_back(rewriter.getI32IntegerAttr(l * bits % 8));
    }
    auto spread = [&](ArrayRef<int64_t> from) -> Value {
      Value picked = vector::ShuffleOp::create(rewriter, loc, op.getBytes(), op.getBytes(), from);
      return arith::ExtUIOp::create(rewriter, loc, type, picked);
    };
    Lanes words{rewriter, loc, type};
    Value both = words.join(spread(low), words.shiftLeft(spread(high), 8));
    Value by = arith::ConstantOp::create(rewriter, loc, DenseElementsAttr::get(type, shifts));
    Value shifted = arith::ShRUIOp::create(rewriter, loc, both, by);
    rewriter.replaceOp(op, words.mask(shifted, (int64_t(1) << bits) - 1));
    return success();
  }
};

class LowerDecodePass : public halftone::impl::LowerDecodeBase<LowerDecodePass> {
public:
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandDecode, ExpandDecodeZeros>(&getContext());
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

} // namespace
