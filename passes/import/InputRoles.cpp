// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Follows an input to what it means.
#include "passes/import/InputRoles.h"

#include "passes/import/Matrix.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

static bool isWeight(Value value) { return isa<lowbit::WeightType>(value.getType()); }

/// Whether `value` names rows of a trained table, or of its Transpose.
static bool indexesTable(OpOperand &use) {
  if (!isNode(use.getOwner(), "Gather") || use.getOperandNumber() != 1)
    return false;
  Value table = use.getOwner()->getOperand(0);
  return isWeight(table) || findMatrix(table, false);
}

/// Values that `start` reaches through nodes that `follow` lets pass.
static llvm::SetVector<Value> reachable(Value start, function_ref<bool(OpOperand &)> follow) {
  llvm::SetVector<Value> seen;
  seen.insert(start);
  for (size_t i = 0; i < seen.size(); ++i)
    for (OpOperand &use : Value(seen[i]).getUses())
      if (isa<NodeOp>(use.getOwner()) && follow(use))
        seen.insert(use.getOwner()->getResults().begin(), use.getOwner()->getResults().end());
  return seen;
}

/// Moves and casts: their result is the input in another form.
static bool keepsMeaning(Operation *op) {
  return isNode(op, "Cast") || isNode(op, "Reshape") || isNode(op, "Unsqueeze") || isNode(op, "Squeeze") ||
         isNode(op, "Identity") || isNode(op, "Expand") || isNode(op, "Transpose") || isNode(op, "Flatten");
}

/// The rows that ids name enter a norm; the rows of angle tables that positions name are factors of activations.
static bool rowsEnterNorm(Value rows) {
  for (Value value : reachable(rows, [](OpOperand &use) { return keepsMeaning(use.getOwner()); }))
    for (Operation *user : value.getUsers()) {
      auto node = dyn_cast<NodeOp>(user);
      if (!node)
        continue;
      bool squares = node.getOpType() == "Mul" && node.getInputs()[0] == node.getInputs()[1];
      if (squares || node.getOpType() == "Pow" || node.getOpType() == "Add" || node.getOpType().contains("Norm") ||
          node.getOpType() == "ReduceMean")
        return true;
    }
  return false;
}

bool halftone::importer::namesTokens(Value input) {
  for (Value value : reachable(input, [](OpOperand &use) { return keepsMeaning(use.getOwner()); }))
    for (OpOperand &use : value.getUses())
      if (indexesTable(use) && rowsEnterNorm(use.getOwner()->getResult(0)))
        return true;
  return false;
}

bool halftone::importer::namesPositions(Value input) {
  auto follow = [](OpOperand &use) {
    Operation *op = use.getOwner();
    return keepsMeaning(op) || isNode(op, "Mul") || isNode(op, "Add") || isNode(op, "Sub") || isNode(op, "MatMul") ||
           isNode(op, "Div") || isNode(op, "Concat") || isNode(op, "Slice") ||
           (isNode(op, "Gather") && indexesTable(use));
  };
  bool found = false;
  reachable(input, [&](OpOperand &use) {
    found |= isNode(use.getOwner(), "Cos") || isNode(use.getOwner(), "Sin") || indexesTable(use);
    return !found && follow(use);
  });
  return found;
}
