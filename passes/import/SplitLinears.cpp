// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// split-linears: some channels of a linear are a linear with some rows of the weight.
#include "dialects/lowbit/Lowbit.h"
#include "passes/Remarks.h"
#include "passes/import/Passes.h"

namespace halftone {
#define GEN_PASS_DEF_SPLITLINEARS
#include "passes/import/Passes.h.inc"
} // namespace halftone

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

/// Rows, or elements, first .. first + count - 1 of a weight.
static Value sliceRows(OpBuilder &builder, TypedValue<WeightType> weight, int64_t first, int64_t count) {
  WeightType type = weight.getType();
  SmallVector<int64_t> shape(type.getShape());
  shape[0] = count;
  return SliceRowsOp::create(builder, weight.getLoc(), WeightType::get(type.getContext(), shape, type.getFormat()),
                             weight, builder.getI64IntegerAttr(first));
}

/// `part`, which starts at channel `first`, of what `value` is: a linear, perhaps with biases. Null for anything else.
static Value partOf(Value value, tensor::ExtractSliceOp part, int64_t first, OpBuilder &builder) {
  int64_t count = part.getType().getDimSize(1);
  if (auto sum = value.getDefiningOp<AddBiasOp>()) {
    Value input = partOf(sum.getInput(), part, first, builder);
    if (!input)
      return {};
    Value bias = sliceRows(builder, sum.getBias(), first, count);
    return AddBiasOp::create(builder, sum.getLoc(), part.getType(), input, bias);
  }
  auto linear = value.getDefiningOp<LinearOp>();
  if (!linear)
    return {};
  Value weight = sliceRows(builder, linear.getWeight(), first, count);
  return LinearOp::create(builder, linear.getLoc(), part.getType(), linear.getInput(), weight, linear.getFormatAttr(),
                          linear.getMethodAttr());
}

static LogicalResult split(tensor::ExtractSliceOp part, StringRef source) {
  OpBuilder builder(part);
  int64_t first = part.getStaticOffset(1);
  Value linear = ShapedType::isDynamic(first) ? Value() : partOf(part.getSource(), part, first, builder);
  if (!linear)
    return mlir::emitError(part.getLoc())
           << source << ": channels " << first << " to " << first + part.getType().getDimSize(1) - 1 << " of "
           << part.getSourceType().getDimSize(1) << " are taken of something that is no product with a weight";
  rewrote(part.getLoc(), "split-linears")
      << remark::metric("first", first) << remark::metric("count", part.getType().getDimSize(1));
  part.replaceAllUsesWith(linear);
  part.erase();
  return success();
}

namespace {
struct SplitLinearsPass : halftone::impl::SplitLinearsBase<SplitLinearsPass> {
  void runOnOperation() override {
    auto source = getOperation()->getAttrOfType<StringAttr>("halftone.source");
    SmallVector<tensor::ExtractSliceOp> parts;
    getOperation().walk([&](tensor::ExtractSliceOp part) { parts.push_back(part); });
    for (tensor::ExtractSliceOp part : parts)
      if (failed(split(part, source ? source.getValue() : "model")))
        return signalPassFailure();
  }
};
} // namespace
