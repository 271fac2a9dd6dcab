// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// recognise-norms: from the mean of squares to lowbit.rms_norm.
#include "passes/Remarks.h"
#include "passes/import/Node.h"
#include "passes/import/Passes.h"
#include "passes/import/Rows.h"

namespace halftone {
#define GEN_PASS_DEF_RECOGNISENORMS
#include "passes/import/Passes.h.inc"
} // namespace halftone

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

namespace {

/// What a match found: result = input / sqrt(mean(input^2) + epsilon), times `scale` where there is one.
struct Norm {
  NodeOp last;
  Value input;
  Value scale;
  float epsilon = 0;
};

} // namespace

/// x where `value` is x * x or x^2.
static Value squared(Value value) {
  if (NodeOp power = definedBy(value, "Pow"))
    return constantScalar(power.getInputs()[1]) == 2.0f ? power.getInputs()[0] : Value();
  NodeOp product = definedBy(value, "Mul");
  return product && product.getInputs()[0] == product.getInputs()[1] ? product.getInputs()[0] : Value();
}

/// x where `mean` is the mean of x^2 over the last dimension, which stays as 1.
static Value meanOfSquares(NodeOp mean) {
  Value input = squared(mean.getInputs()[0]);
  auto shape = input ? dimensions(input) : std::nullopt;
  auto axes = mean.getInputs().size() > 1 ? constantIntegers(mean.getInputs()[1]) : listParameter(mean, "axes");
  if (!shape || !axes || axes->size() != 1 || parameter(mean, "keepdims", int64_t(1)) != 1)
    return {};
  bool isLast = (*axes)[0] == -1 || (*axes)[0] == static_cast<int64_t>(shape->size()) - 1;
  return isLast ? input : Value();
}

/// The one node reading `value`, if there is only one.
static NodeOp onlyReader(Value value) {
  return value.hasOneUse() ? dyn_cast<NodeOp>(*value.getUsers().begin()) : NodeOp();
}

/// input times or divided by the root of `variance`: the product, by any of the ways to write a reciprocal root.
static NodeOp normalized(Value variance, Value input) {
  NodeOp next = onlyReader(variance);
  if (!next)
    return {};
  Value reciprocal;
  if (next.getOpType() == "Pow" && constantScalar(next.getInputs()[1]) == -0.5f)
    reciprocal = next.getOutputs()[0];
  if (next.getOpType() == "Sqrt") {
    Value root = next.getOutputs()[0];
    NodeOp user = onlyReader(root);
    if (!user)
      return {};
    if (user.getOpType() == "Div" && user.getInputs()[0] == input && user.getInputs()[1] == root)
      return user;
    bool inverts = user.getOpType() == "Reciprocal" || (user.getOpType() == "Div" && user.getInputs()[1] == root &&
                                                        constantScalar(user.getInputs()[0]) == 1.0f);
    reciprocal = inverts ? user.getOutputs()[0] : Value();
  }
  NodeOp product = reciprocal ? onlyReader(reciprocal) : NodeOp();
  return product && product.getOpType() == "Mul" && otherInput(product, reciprocal) == input ? product : NodeOp();
}

static bool isScale(Value value, Value input) {
  auto type = dyn_cast<lowbit::WeightType>(value.getType());
  return type && type.getShape().size() == 1 && type.getShape()[0] == dimensions(input)->back();
}

/// Takes the multiplication by a trained scale in, where it is all that becomes of the norm.
static void takeScale(Norm &norm) {
  NodeOp product = onlyReader(norm.last.getOutputs()[0]);
  if (!product || product.getOpType() != "Mul")
    return;
  Value scale = otherInput(product, norm.last.getOutputs()[0]);
  if (!scale || !isScale(scale, norm.input))
    return;
  norm.scale = scale;
  norm.last = product;
}

static std::optional<Norm> matchSteps(NodeOp mean) {
  Value input = meanOfSquares(mean);
  NodeOp sum = input ? onlyReader(mean.getOutputs()[0]) : NodeOp();
  if (!sum || sum.getOpType() != "Add")
    return std::nullopt;
  auto epsilon = constantScalar(otherInput(sum, mean.getOutputs()[0]));
  NodeOp product = epsilon ? normalized(sum.getOutputs()[0], input) : NodeOp();
  if (!product)
    return std::nullopt;
  Norm norm{product, input, Value(), *epsilon};
  takeScale(norm);
  return norm;
}

/// RMSNormalization and its forerunner, over the last dimension.
static std::optional<Norm> matchOperator(NodeOp node) {
  Value input = node.getInputs()[0];
  auto shape = dimensions(input);
  if (!shape || node.getInputs().size() < 2 || !isScale(node.getInputs()[1], input))
    return std::nullopt;
  int64_t axis = parameter(node, "axis", int64_t(-1));
  if (axis != -1 && axis != static_cast<int64_t>(shape->size()) - 1)
    return std::nullopt;
  return Norm{node, input, node.getInputs()[1], parameter(node, "epsilon", 1e-5f)};
}

static void replace(const Norm &norm, OpBuilder &builder) {
  if (!isBatchedRows(norm.input) && dimensions(norm.input)->size() != 2)
    return;
  NodeOp last = norm.last;
  builder.setInsertionPoint(last);
  Value rows = toRows(builder, norm.input);
  Value result = lowbit::RmsNormOp::create(builder, last.getLoc(), rows.getType(), rows, norm.scale,
                                           builder.getF32FloatAttr(norm.epsilon));
  rewrote(last.getLoc(), "recognise-norms") << remark::metric("epsilon", norm.epsilon);
  last.getOutputs()[0].replaceAllUsesWith(asLike(builder, result, norm.input));
}

namespace {
struct RecogniseNormsPass : halftone::impl::RecogniseNormsBase<RecogniseNormsPass> {
  void runOnOperation() override {
    SmallVector<Norm> norms;
    getOperation().walk([&](NodeOp node) {
      std::optional<Norm> norm;
      if (node.getOpType() == "ReduceMean")
        norm = matchSteps(node);
      else if (node.getOpType() == "RMSNormalization" || node.getOpType() == "SimplifiedLayerNormalization")
        norm = matchOperator(node);
      if (norm)
        norms.push_back(*norm);
    });
    OpBuilder builder(&getContext());
    for (const Norm &norm : norms)
      replace(norm, builder);
    eraseDead(getOperation());
  }
};
} // namespace
