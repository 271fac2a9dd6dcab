// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Whether masks together are causal: for some sizes, and at the ends of the context.
#include "passes/import/AttentionParts.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

/// 1: seen, 0: masked, nothing: neither.
static std::optional<bool> allows(const Mask &mask, const Tensor &tensor, int64_t index) {
  if (mask.isCondition)
    return (tensor.integers[index] != 0) == mask.keepsWhere;
  if (tensor.content != Tensor::Content::Floats)
    return std::nullopt;
  if (tensor.floats[index] == 0)
    return true;
  return tensor.floats[index] <= maskedScore ? std::optional<bool>(false) : std::nullopt;
}

static InFlightDiagnostic maskError(const Attention &attention, const Mask &mask) {
  NodeOp softmax = attention.softmax, maker = mask.value.getDefiningOp<NodeOp>();
  return emitNodeError(maker ? maker : softmax) << "the attention mask is not causal: ";
}

namespace {

/// A mask evaluated, seen as one of [1, heads, tokens, positions].
struct MaskView {
  const Mask *mask;
  const Tensor *tensor;
  SmallVector<int64_t> steps;
};

} // namespace

static FailureOr<SmallVector<MaskView>> viewMasks(const Attention &attention, Evaluator &evaluator,
                                                  ArrayRef<int64_t> scores) {
  NodeOp softmax = attention.softmax;
  SmallVector<MaskView> views;
  for (const Mask &mask : attention.masks) {
    const Tensor &tensor = evaluator.evaluate(mask.value);
    SmallVector<int64_t> shape;
    if (!tensor.isKnown() || !broadcast(tensor.shape, scores, shape) || ArrayRef(shape) != scores)
      return emitNodeError(softmax) << "mask and scores differ in shape";
    views.push_back({&mask, &tensor, broadcastStrides(tensor.shape, scores)});
  }
  return views;
}

LogicalResult halftone::importer::checkMask(const Attention &attention, Evaluator &evaluator, Binding binding) {
  NodeOp softmax = attention.softmax;
  int64_t tokens = binding.tokens, past = attention.keys.past ? binding.past : 0, positions = past + tokens;
  if (attention.masks.empty())
    return emitNodeError(softmax) << "attention has no mask: tokens see what comes after them";
  auto views = viewMasks(attention, evaluator, {1, attention.queries.heads, tokens, positions});
  if (failed(views))
    return failure();
  bool perHead = llvm::any_of(*views, [](const MaskView &view) { return view.steps[1] != 0; });
  for (int64_t head = 0; head < (perHead ? attention.queries.heads : 1); ++head)
    for (int64_t token = 0; token < tokens; ++token)
      for (int64_t position = 0; position < positions; ++position) {
        bool sees = true;
        for (const MaskView &view : *views) {
          ArrayRef<int64_t> steps = view.steps;
          auto allowed = allows(*view.mask, *view.tensor, head * steps[1] + token * steps[2] + position * steps[3]);
          if (!allowed)
            return maskError(attention, *view.mask)
                   << "it adds a finite number at token " << past + token << ", position " << position;
          sees = sees && *allowed;
        }
        if (sees != (position <= past + token))
          return maskError(attention, attention.masks[0])
                 << "token " << past + token << (sees ? " sees" : " does not see") << " position " << position;
      }
  return success();
}

//===-- Far positions ---------------------------------------------------------------------------------------------===//

/// Masks over more tokens than this are not evaluated: the number of elements is its square.
static constexpr int64_t mostTokens = 4200;

/// The largest number that the masks compute with and that is no more than \p limit.
static int64_t largestNumber(const Attention &attention, int64_t limit) {
  int64_t largest = 0;
  for (const Mask &mask : attention.masks) {
    for (Operation *op : makersOf(mask.value))
      if (auto numbers = op->getNumResults() == 1 ? constantIntegers(op->getResult(0)) : std::nullopt)
        for (int64_t number : *numbers)
          largest = number >= -limit && number <= limit ? std::max(largest, std::abs(number)) : largest;
  }
  return largest;
}

static LogicalResult checkGuards(const Attention &attention, Evaluator &evaluator) {
  for (Value condition : attention.guards) {
    NodeOp softmax = attention.softmax, maker = condition.getDefiningOp<NodeOp>();
    if (!neverHolds(evaluator.evaluate(condition)))
      return emitNodeError(maker ? maker : softmax) << "holds for some tokens: it replaces what attention gives them";
  }
  return success();
}

LogicalResult halftone::importer::checkEnds(const Attention &attention, WeightFiles &files, int64_t context) {
  Binding far = {1, context - 1};
  if (!attention.keys.past) {
    // One token more than any number in the mask shows every window; a window as long as the context is none.
    far = {std::min(context, std::max<int64_t>(16, largestNumber(attention, context) + 2)), 0};
    NodeOp softmax = attention.softmax;
    if (far.tokens > mostTokens)
      return emitNodeError(softmax) << "the attention mask cannot be checked over " << far.tokens << " tokens";
  }
  for (Binding binding : {Binding{3, 0}, far}) {
    Evaluator evaluator(binding, files);
    if (failed(checkMask(attention, evaluator, binding)) || failed(checkGuards(attention, evaluator)))
      return failure();
  }
  return success();
}
