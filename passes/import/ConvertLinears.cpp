// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// convert-linears: MatMul and Gemm with a weight.
#include "passes/Remarks.h"
#include "passes/import/Matrix.h"
#include "passes/import/Passes.h"
#include "passes/import/Rows.h"

namespace halftone {
#define GEN_PASS_DEF_CONVERTLINEARS
#include "passes/import/Passes.h.inc"
} // namespace halftone

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

/// The third input of Gemm, which is added; null when there is none.
static Value addend(NodeOp node) {
  Value third = node.getInputs().size() > 2 ? node.getInputs()[2] : Value();
  return third && !isa<NoneType>(third.getType()) ? third : Value();
}

/// The right side of a product as [outputs, inputs].
static std::optional<Matrix> rightSide(NodeOp node) {
  if (node.getOpType() == "MatMul")
    return findMatrix(node.getInputs()[1], true);
  bool isPlain = parameter(node, "alpha", 1.0f) == 1.0f && parameter(node, "transA", int64_t(0)) == 0 &&
                 (!addend(node) || parameter(node, "beta", 1.0f) == 1.0f);
  return isPlain ? findMatrix(node.getInputs()[1], parameter(node, "transB", int64_t(0)) == 0) : std::nullopt;
}

static void convert(NodeOp node, OpBuilder &builder) {
  auto matrix = rightSide(node);
  Value input = node.getInputs()[0], output = node.getOutputs()[0];
  auto inputType = dyn_cast<RankedTensorType>(input.getType());
  if (!matrix || !inputType || !inputType.getElementType().isF32() ||
      (!isBatchedRows(input) && inputType.getRank() != 2))
    return;
  ArrayRef<int64_t> shape = cast<lowbit::WeightType>(matrix->handle.getType()).getShape();
  if (inputType.getShape().back() != shape[matrix->turned ? 0 : 1])
    return;
  builder.setInsertionPoint(node);
  Value rows = toRows(builder, input), handle = orientedHandle(*matrix, builder);
  auto result = RankedTensorType::get(
      {cast<RankedTensorType>(rows.getType()).getDimSize(0), cast<lowbit::WeightType>(handle.getType()).getShape()[0]},
      builder.getF32Type());
  Value linear =
      lowbit::LinearOp::create(builder, node.getLoc(), result, rows, handle, lowbit::FormatAttr(), StringAttr());
  linear = asLike(builder, linear, input);
  if (Value bias = addend(node))
    linear = makeNode(builder, node, "Add", {linear, bias}, output.getType());
  rewrote(node.getLoc(), "convert-linears")
      << (matrix->turned ? "a product with a weight that is turned round" : "a product with a weight");
  output.replaceAllUsesWith(linear);
  node.erase();
}

namespace {
struct ConvertLinearsPass : halftone::impl::ConvertLinearsBase<ConvertLinearsPass> {
  void runOnOperation() override {
    SmallVector<NodeOp> nodes;
    getOperation().walk([&](NodeOp node) {
      if (node.getOpType() == "MatMul" || node.getOpType() == "Gemm")
        nodes.push_back(node);
    });
    OpBuilder builder(&getContext());
    for (NodeOp node : nodes)
      if (node.getInputs().size() >= 2)
        convert(node, builder);
    eraseDead(getOperation());
    tidyNames(getOperation());
  }
};
} // namespace
