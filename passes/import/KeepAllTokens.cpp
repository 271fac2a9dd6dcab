// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// keep-all-tokens: heads that only look at the last token.
#include "passes/Remarks.h"
#include "passes/import/Evaluate.h"
#include "passes/import/Passes.h"

namespace halftone {
#define GEN_PASS_DEF_KEEPALLTOKENS
#include "passes/import/Passes.h.inc"
} // namespace halftone

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

static constexpr Binding bindings[] = {{3, 5}, {4, 2}};

/// Whether `output` is the last row of `input`, [1, tokens, channels] or [tokens, channels].
static bool isLastRow(Value input, Value output, Binding binding, WeightFiles &files) {
  Evaluator shapes(binding, files);
  const Tensor &rows = shapes.evaluate(input);
  size_t rank = rows.shape.size();
  bool isRows = rows.hasShape() && rows.isFloat() && (rank == 2 || (rank == 3 && rows.shape[0] == 1)) &&
                rows.shape[rank - 2] == binding.tokens;
  if (!isRows)
    return false;
  Evaluator forms(binding, files, Evaluator::Unknowns::Roots);
  forms.assume(input, rows);
  const Tensor &taken = forms.evaluate(output);
  int64_t channels = rows.shape.back();
  if (taken.content != Tensor::Content::Forms || taken.elements() != channels)
    return false;
  for (auto [i, form] : llvm::enumerate(taken.forms))
    if (form.size() != 1 || form[0].root != input || form[0].coefficient != 1 ||
        form[0].index != (binding.tokens - 1) * channels + static_cast<int64_t>(i))
      return false;
  return true;
}

static bool isWeight(Value value) { return isa<lowbit::WeightType>(value.getType()); }

/// The activation that `node` turns into its result token by token; null where it does something else.
static Value rowsBefore(NodeOp node) {
  ValueRange inputs = node.getInputs();
  bool keeps = node.getOpType() == "Cast" || node.getOpType() == "Identity";
  bool isLinear = node.getOpType() == "MatMul" || node.getOpType() == "Gemm";
  Value matrix = inputs.size() > 1 ? inputs[1] : Value();
  if (NodeOp turned = definedBy(matrix, "Transpose"))
    matrix = turned.getInputs()[0];
  return keeps || (isLinear && matrix && isWeight(matrix)) ? inputs[0] : Value();
}

/// Follows a result back through its head and takes a selection of the last token out.
static void widen(Value result, WeightFiles &files) {
  for (NodeOp node = result.getDefiningOp<NodeOp>(); node; node = result.getDefiningOp<NodeOp>()) {
    bool selects = node.getOpType() == "Slice" || node.getOpType() == "Gather";
    Value input = node.getInputs().empty() ? Value() : node.getInputs()[0];
    if (selects && !isWeight(input) && llvm::all_of(bindings, [&](Binding binding) {
          return isLastRow(input, node.getOutputs()[0], binding, files);
        })) {
      rewrote(node.getLoc(), "keep-all-tokens") << "selects the last token";
      node.getOutputs()[0].replaceAllUsesWith(input);
      return;
    }
    result = rowsBefore(node);
    if (!result)
      return;
  }
}

namespace {
struct KeepAllTokensPass : halftone::impl::KeepAllTokensBase<KeepAllTokensPass> {
  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    WeightFiles files;
    Operation *end = getOperation().getBody().front().getTerminator();
    for (unsigned i = 0; i < end->getNumOperands(); ++i)
      widen(end->getOperand(i), files);
    eraseDead(getOperation());
  }
};
} // namespace
