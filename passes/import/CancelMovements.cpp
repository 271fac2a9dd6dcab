// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cancel-movements: what evaluates to an activation, element by element, is that activation.
#include "passes/Remarks.h"
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

namespace {
/// Channels of an activation, from `first` on.
struct Channels {
  Value source;
  int64_t first = 0;

  bool operator==(const Channels &) const = default;
};
} // namespace

/// Whose channels `value`, [tokens, count] with or without a batch, has: all elements of a value in their order, or
/// some channels of an activation. The source is null where neither is so.
static Channels sourceOf(Value value, Evaluator &evaluator) {
  const Tensor &tensor = evaluator.evaluate(value);
  if (tensor.content != Tensor::Content::Forms || tensor.forms.empty() || tensor.forms[0].empty())
    return {};
  Value root = tensor.forms[0][0].root;
  const Tensor &whole = evaluator.evaluate(root);
  bool isAll = whole.elements() == tensor.elements(), isRows = isBatchedRows(root) || whole.shape.size() == 2;
  if (root == value || (!isAll && !isRows))
    return {};
  int64_t count = tensor.shape.back(), channels = isAll ? count : whole.shape.back();
  int64_t first = tensor.forms[0][0].index;
  if (first + count > channels || tensor.elements() / count != whole.elements() / channels)
    return {};
  for (auto [i, form] : llvm::enumerate(tensor.forms)) {
    int64_t position = static_cast<int64_t>(i);
    if (form.size() != 1 || form[0].root != root || form[0].coefficient != 1 ||
        form[0].index != position / count * channels + first + position % count)
      return {};
  }
  return {root, first};
}

static void cancel(Value output, ArrayRef<std::unique_ptr<Evaluator>> evaluators, OpBuilder &builder) {
  if (!isBatchedRows(output) && !(dimensions(output) && dimensions(output)->size() == 2))
    return;
  Channels channels = sourceOf(output, *evaluators[0]);
  if (!channels.source || channels != sourceOf(output, *evaluators[1]))
    return;
  builder.setInsertionPoint(output.getDefiningOp());
  Value same = channels.source;
  bool isRows = isBatchedRows(same) || (dimensions(same) && dimensions(same)->size() == 2);
  if (isRows && same.getType() != output.getType())
    same = asLike(builder, toRows(builder, same, channels.first, dimensions(output)->back()), output);
  if (same.getType() != output.getType())
    return;
  rewrote(output.getLoc(), "cancel-movements") << "channels are where they were before";
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
      if (isMovement(node))
        nodes.push_back(node);
    });
    OpBuilder builder(&getContext());
    for (NodeOp node : nodes)
      for (Value output : node.getOutputs())
        cancel(output, evaluators, builder);
    eraseDead(getOperation());
  }
};
} // namespace
