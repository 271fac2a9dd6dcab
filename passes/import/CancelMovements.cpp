// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cancel-movements: what evaluates to an activation, element by element, is that activation.
#include "passes/import/Evaluate.h"
#include "passes/import/Operator.h"
#include "passes/import/Passes.h"
#include "passes/import/Rows.h"

namespace halftone {
#define GEN_PASS_DEF_CANCELMOVEMENTS
#include "passes/import/Passes.h.inc"
} // namespace halftone

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

static constexpr Binding bindings[] = {{3, 5}, {4, 2}};

static bool isMovement(NodeOp node) {
  return llvm::any_of(movementOperators(), [&](const Operator &row) { return row.name == node.getOpType(); });
}

/// The value whose elements `value` has, in order; null when there is none.
static Value sourceOf(Value value, Evaluator &evaluator) {
  const Tensor &tensor = evaluator.evaluate(value);
  if (tensor.content != Tensor::Content::Forms || tensor.forms.empty() || tensor.forms[0].empty())
    return {};
  Value root = tensor.forms[0][0].root;
  if (root == value || evaluator.evaluate(root).elements() != tensor.elements())
    return {};
  for (auto [i, form] : llvm::enumerate(tensor.forms))
    if (form.size() != 1 || form[0].root != root || form[0].index != static_cast<int64_t>(i) ||
        form[0].coefficient != 1)
      return {};
  return root;
}

static void cancel(NodeOp node, ArrayRef<std::unique_ptr<Evaluator>> evaluators, OpBuilder &builder) {
  Value output = node.getOutputs()[0];
  if (!isBatchedRows(output) && !(dimensions(output) && dimensions(output)->size() == 2))
    return;
  Value source = sourceOf(output, *evaluators[0]);
  if (!source || source != sourceOf(output, *evaluators[1]))
    return;
  builder.setInsertionPoint(node);
  Value same = source;
  if (source.getType() != output.getType() && isBatchedRows(output) && dimensions(source)->size() == 2)
    same = batched(builder, source);
  if (same.getType() == output.getType())
    output.replaceAllUsesWith(same);
}

namespace {
struct CancelMovementsPass : halftone::impl::CancelMovementsBase<CancelMovementsPass> {
  void runOnOperation() override {
    WeightFiles files;
    SmallVector<std::unique_ptr<Evaluator>> evaluators;
    for (Binding binding : bindings)
      evaluators.push_back(std::make_unique<Evaluator>(binding, files, Evaluator::Unknowns::Roots));
    SmallVector<NodeOp> nodes;
    getOperation().walk([&](NodeOp node) {
      if (isMovement(node) && node.getNumResults() == 1)
        nodes.push_back(node);
    });
    OpBuilder builder(&getContext());
    for (NodeOp node : nodes)
      cancel(node, evaluators, builder);
    eraseDead(getOperation());
  }
};
} // namespace
