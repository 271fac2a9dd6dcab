// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Finds queries, keys and values by where their elements come from, and the scale by what they are multiplied with.
#include "passes/import/AttentionParts.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

//===-- From the Softmax to the products --------------------------------------------------------------------------===//

static bool isKnown(Value value, Evaluator &evaluator) { return evaluator.evaluate(value).isKnown(); }

/// All elements of a known tensor at most `maskedScore`.
static bool isVeryNegative(Value value, Evaluator &evaluator) {
  const Tensor &tensor = evaluator.evaluate(value);
  return tensor.content == Tensor::Content::Floats &&
         llvm::all_of(tensor.floats, [](float x) { return x <= maskedScore; });
}

/// Steps from masked scores to what they were before `node`; null when the node is none of mask and scale.
static Value unmasked(NodeOp node, Attention &attention, Evaluator &evaluator) {
  ValueRange inputs = node.getInputs();
  if (node.getOpType() == "Add") {
    bool second = isKnown(inputs[1], evaluator);
    if (!second && !isKnown(inputs[0], evaluator))
      return {};
    attention.masks.push_back({inputs[second ? 1 : 0]});
    return inputs[second ? 0 : 1];
  }
  if (node.getOpType() == "Where" && isKnown(inputs[0], evaluator)) {
    bool keepsWhere = isVeryNegative(inputs[2], evaluator);
    if (!keepsWhere && !isVeryNegative(inputs[1], evaluator))
      return {};
    attention.masks.push_back({inputs[0], true, keepsWhere});
    return inputs[keepsWhere ? 1 : 2];
  }
  if (node.getOpType() == "Cast" || node.getOpType() == "Identity")
    return inputs[0];
  bool isProduct = node.getOpType() == "Mul", isQuotient = node.getOpType() == "Div";
  if (!isProduct && !isQuotient)
    return {};
  for (unsigned factor : {1u, 0u}) {
    const Tensor &tensor = evaluator.evaluate(inputs[factor]);
    if (tensor.content != Tensor::Content::Floats || tensor.elements() != 1 || (isQuotient && factor == 0))
      continue;
    attention.scale = isProduct ? attention.scale * tensor.floats[0] : attention.scale / tensor.floats[0];
    return inputs[1 - factor];
  }
  return {};
}

LogicalResult halftone::importer::findScores(Attention &attention, Evaluator &evaluator) {
  NodeOp softmax = attention.softmax;
  auto shape = dimensions(softmax.getOutputs()[0]);
  int64_t axis = parameter(softmax, "axis", int64_t(-1));
  if (!shape || shape->size() != 4 || (axis != -1 && axis != 3))
    return emitNodeError(softmax) << "is not over the positions of [batch, heads, tokens, positions]";
  Value value = softmax.getInputs()[0];
  while (true) {
    NodeOp node = value.getDefiningOp<NodeOp>();
    if (node && node.getOpType() == "MatMul") {
      attention.scores = node;
      return success();
    }
    value = node ? unmasked(node, attention, evaluator) : Value();
    if (!value)
      return emitNodeError(node ? node : softmax) << "is neither scale nor mask nor product of queries and keys";
  }
}

/// Where(condition, fill, x) that always gives x: a guard against rows in which everything is masked, of which a causal
/// mask has none. A condition that is not about NaN is given in \p condition.
static bool isGuard(NodeOp node, Value value, Evaluator &evaluator, Value &condition) {
  if (node.getOpType() != "Where" || node.getInputs()[2] != value)
    return false;
  if (NodeOp test = definedBy(node.getInputs()[0], "IsNaN"); test && test.getInputs()[0] == value)
    return true;
  condition = node.getInputs()[0];
  return neverHolds(evaluator.evaluate(condition));
}

/// The value behind guards: the only one that anyone else reads.
static Value behindGuards(Value value, Attention &attention, Evaluator &evaluator) {
  for (bool moved = true; moved;) {
    moved = false;
    for (Operation *user : value.getUsers()) {
      Value condition;
      auto node = dyn_cast<NodeOp>(user);
      if (!node || !isGuard(node, value, evaluator, condition))
        continue;
      if (condition)
        attention.guards.push_back(condition);
      value = node.getOutputs()[0];
      moved = true;
      break;
    }
  }
  return value;
}

LogicalResult halftone::importer::findProduct(Attention &attention, Evaluator &evaluator) {
  Value probabilities = behindGuards(attention.softmax.getOutputs()[0], attention, evaluator);
  for (Operation *user : probabilities.getUsers()) {
    auto node = dyn_cast<NodeOp>(user);
    if (!node || node.getOpType() != "MatMul" || node.getInputs()[0] != probabilities || attention.product)
      return emitNodeError(attention.softmax) << "its result is not just multiplied by values";
    attention.product = node;
  }
  if (!attention.product)
    return emitNodeError(attention.softmax) << "nobody reads its result";
  attention.result = behindGuards(attention.product.getOutputs()[0], attention, evaluator);
  return success();
}

//===-- From elements to activations ------------------------------------------------------------------------------===//

namespace {

/// How an operand, [heads, positions, size] in some order of the last two, is put together.
struct Operand {
  const Tensor &tensor;
  int64_t heads, positions, size;
  bool turned; ///< [heads, size, positions]

  const Form &at(int64_t head, int64_t position, int64_t channel) const {
    return tensor.forms[turned ? (head * size + channel) * positions + position
                               : (head * positions + position) * size + channel];
  }
};

} // namespace

static std::optional<Operand> operandOf(const Tensor &tensor, bool turned) {
  if (tensor.content != Tensor::Content::Forms || tensor.shape.size() != 4 || tensor.shape[0] != 1)
    return std::nullopt;
  return Operand{tensor, tensor.shape[1], tensor.shape[turned ? 3 : 2], tensor.shape[turned ? 2 : 3], turned};
}

/// Channels of an activation [tokens, channels], with or without a batch; 0 for anything else.
static int64_t channelsOf(Value activation) {
  auto shape = dimensions(activation);
  bool isRows = shape && (shape->size() == 2 || (shape->size() == 3 && (*shape)[0] == 1));
  return isRows && !ShapedType::isDynamic(shape->back()) ? shape->back() : 0;
}

/// Whether the activation has as many channels as the heads need.
static bool hasHeads(const HeadRows &rows) {
  return rows.heads > 0 && rows.first + rows.heads * rows.size <= channelsOf(rows.activation);
}

/// The term that is all of an element.
static const Term *onlyTerm(const Form &form) { return form.size() == 1 && !form[0].factor ? &form[0] : nullptr; }

static bool isPastArgument(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  auto function = argument ? dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp()) : func::FuncOp();
  return function && function.getArgAttr(argument.getArgNumber(), pastAttribute);
}

/// Whether every position after `past` holds the activation's heads in order, each repeated for `group` heads, times
/// one coefficient; and every one before it the past's.
static bool standsInOrder(const Operand &operand, int64_t past, const HeadRows &rows, float &coefficient) {
  int64_t group = operand.heads / rows.heads, channels = channelsOf(rows.activation);
  const Term *first = onlyTerm(operand.at(0, past, 0));
  coefficient = first ? first->coefficient : 0;
  for (int64_t head = 0; head < operand.heads; ++head)
    for (int64_t position = 0; position < operand.positions; ++position)
      for (int64_t channel = 0; channel < operand.size; ++channel) {
        const Term *term = onlyTerm(operand.at(head, position, channel));
        bool isNew = position >= past;
        int64_t own = head / group * rows.size + channel, before = head / group * past + position;
        int64_t index = isNew ? (position - past) * channels + rows.first + own : before * rows.size + channel;
        if (!term || term->root != (isNew ? rows.activation : rows.past) || term->index != index ||
            term->coefficient != coefficient)
          return false;
      }
  return true;
}

LogicalResult halftone::importer::findQueries(Attention &attention, Evaluator &evaluator) {
  auto operand = operandOf(evaluator.evaluate(attention.scores.getInputs()[0]), false);
  const Term *first = operand ? onlyTerm(operand->at(0, 0, 0)) : nullptr;
  auto fail = [&] { return emitNodeError(attention.scores) << "its left side is no activation split into heads"; };
  if (!first)
    return fail();
  HeadRows rows{first->root, first->index, operand->heads, operand->size, {}};
  float coefficient = 1;
  if (!hasHeads(rows) || !standsInOrder(*operand, 0, rows, coefficient))
    return fail();
  attention.queries = rows;
  attention.scale *= coefficient;
  return success();
}

/// Keys or values: those of the past, if the graph has them, and the new ones; heads may be shared.
static LogicalResult findShared(NodeOp node, bool turned, int64_t queryHeads, Evaluator &evaluator, HeadRows &rows,
                                float &coefficient) {
  auto operand = operandOf(evaluator.evaluate(node.getInputs()[1]), turned);
  auto fail = [&] { return emitNodeError(node) << "its right side is no activation split into heads"; };
  if (!operand || operand->positions == 0)
    return fail();
  const Term *earliest = onlyTerm(operand->at(0, 0, 0));
  if (!earliest || operand->heads != queryHeads)
    return fail();
  rows.past = isPastArgument(earliest->root) ? earliest->root : Value();
  int64_t past = rows.past ? evaluator.evaluate(rows.past).shape[2] : 0;
  if (past >= operand->positions)
    return fail();
  const Term *first = onlyTerm(operand->at(0, past, 0)), *last = onlyTerm(operand->at(operand->heads - 1, past, 0));
  if (!first || !last)
    return fail();
  rows = {first->root, first->index, (last->index - first->index) / operand->size + 1, operand->size, rows.past};
  if (!hasHeads(rows) || operand->heads % rows.heads != 0 || !standsInOrder(*operand, past, rows, coefficient))
    return fail();
  return success();
}

LogicalResult halftone::importer::findKeysAndValues(Attention &attention, Evaluator &evaluator) {
  float keyScale = 1, valueScale = 1;
  int64_t heads = attention.queries.heads;
  if (failed(findShared(attention.scores, true, heads, evaluator, attention.keys, keyScale)) ||
      failed(findShared(attention.product, false, heads, evaluator, attention.values, valueScale)))
    return failure();
  const HeadRows &k = attention.keys, &v = attention.values;
  if (k.heads != v.heads || k.size != v.size || k.size != attention.queries.size ||
      static_cast<bool>(k.past) != static_cast<bool>(v.past))
    return emitNodeError(attention.product)
           << "values have " << v.heads << " heads of " << v.size << ", keys " << k.heads << " of " << k.size;
  if (valueScale != 1)
    return emitNodeError(attention.product) << "values are scaled by " << valueScale;
  attention.scale *= keyScale;
  return success();
}
