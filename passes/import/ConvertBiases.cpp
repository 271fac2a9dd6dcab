// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// convert-biases: sums of activations with a trained vector.
#include "dialects/lowbit/Lowbit.h"
#include "passes/Remarks.h"
#include "passes/import/Node.h"
#include "passes/import/Passes.h"
#include "passes/import/Rows.h"

namespace halftone {
#define GEN_PASS_DEF_CONVERTBIASES
#include "passes/import/Passes.h.inc"
} // namespace halftone

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

/// Whether `bias` has an element for each channel of `input`, [tokens, channels] with or without a batch of 1.
static bool isBias(Value bias, Value input) {
  auto type = dyn_cast<lowbit::WeightType>(bias.getType());
  bool isRows = isBatchedRows(input) || (dimensions(input) && dimensions(input)->size() == 2);
  return type && isRows && type.getShape() == dimensions(input)->take_back();
}

static void convert(NodeOp node, OpBuilder &builder) {
  for (unsigned i : {0u, 1u}) {
    Value input = node.getInputs()[i], bias = node.getInputs()[1 - i];
    if (!isBias(bias, input))
      continue;
    builder.setInsertionPoint(node);
    Value rows = toRows(builder, input);
    Value sum = lowbit::AddBiasOp::create(builder, node.getLoc(), rows.getType(), rows, bias);
    rewrote(node.getLoc(), "convert-biases") << "a sum with a weight";
    node.getOutputs()[0].replaceAllUsesWith(asLike(builder, sum, input));
    node.erase();
    return;
  }
}

namespace {
struct ConvertBiasesPass : halftone::impl::ConvertBiasesBase<ConvertBiasesPass> {
  void runOnOperation() override {
    SmallVector<NodeOp> nodes;
    getOperation().walk([&](NodeOp node) {
      if (node.getOpType() == "Add" && node.getInputs().size() == 2)
        nodes.push_back(node);
    });
    OpBuilder builder(&getContext());
    for (NodeOp node : nodes)
      convert(node, builder);
    eraseDead(getOperation());
  }
};
} // namespace
