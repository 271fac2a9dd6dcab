// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// convert-embedding: Gather of a table's rows by token ids.
#include "passes/Remarks.h"
#include "passes/import/Matrix.h"
#include "passes/import/Passes.h"
#include "passes/import/Rows.h"

namespace halftone {
#define GEN_PASS_DEF_CONVERTEMBEDDING
#include "passes/import/Passes.h.inc"
} // namespace halftone

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

/// The function's token ids that `value` is, with or without a batch of 1; null when it is none.
static Value tokenIds(Value value) {
  while (auto expanded = value.getDefiningOp<tensor::ExpandShapeOp>())
    value = expanded.getSrc();
  auto argument = dyn_cast<BlockArgument>(value);
  auto type = dyn_cast<RankedTensorType>(value.getType());
  bool isTokens = argument && type && type.getRank() == 1 && type.getElementType().isInteger(64);
  return isTokens ? value : Value();
}

static void convert(NodeOp node, OpBuilder &builder) {
  auto matrix = findMatrix(node.getInputs()[0], /*turned=*/false);
  Value tokens = tokenIds(node.getInputs()[1]);
  if (!matrix || !tokens || parameter(node, "axis", int64_t(0)) != 0)
    return;
  builder.setInsertionPoint(node);
  Value table = orientedHandle(*matrix, builder);
  auto rows = RankedTensorType::get(
      {cast<RankedTensorType>(tokens.getType()).getDimSize(0), cast<lowbit::WeightType>(table.getType()).getShape()[1]},
      builder.getF32Type());
  Value embedding =
      lowbit::EmbeddingOp::create(builder, node.getLoc(), rows, tokens, table, lowbit::FormatAttr(), StringAttr());
  bool hasBatch = cast<RankedTensorType>(node.getInputs()[1].getType()).getRank() == 2;
  rewrote(node.getLoc(), "convert-embedding") << "rows of a weight, by token";
  node.getOutputs()[0].replaceAllUsesWith(hasBatch ? batched(builder, embedding) : embedding);
  node.erase();
}

namespace {
struct ConvertEmbeddingPass : halftone::impl::ConvertEmbeddingBase<ConvertEmbeddingPass> {
  void runOnOperation() override {
    SmallVector<NodeOp> nodes;
    getOperation().walk([&](NodeOp node) {
      if (node.getOpType() == "Gather" && node.getInputs().size() == 2)
        nodes.push_back(node);
    });
    OpBuilder builder(&getContext());
    for (NodeOp node : nodes)
      convert(node, builder);
    eraseDead(getOperation());
  }
};
} // namespace
