// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// convert-elementwise: arithmetic on activations of one shape, and with scalars.
#include "passes/Remarks.h"
#include "passes/import/Node.h"
#include "passes/import/Passes.h"
#include "passes/import/Rows.h"

#include "mlir/Dialect/Math/IR/Math.h"

namespace halftone {
#define GEN_PASS_DEF_CONVERTELEMENTWISE
#include "passes/import/Passes.h.inc"
} // namespace halftone

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

namespace {

/// Makes an operator's arithmetic on operands of one type.
using Make = Value (*)(OpBuilder &, Location, ValueRange);

struct Elementwise {
  StringLiteral name;
  size_t inputs;
  Make make;
};

} // namespace

template <class Op> static Value make(OpBuilder &builder, Location location, ValueRange operands) {
  if constexpr (Op::template hasTrait<OpTrait::OneOperand>())
    return Op::create(builder, location, operands[0]);
  else
    return Op::create(builder, location, operands[0], operands[1]);
}

/// A tensor like `like` filled with `number`.
static Value filled(OpBuilder &builder, Location location, float number, Value like) {
  auto type = cast<RankedTensorType>(like.getType());
  SmallVector<Value> sizes;
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (type.isDynamicDim(i))
      sizes.push_back(tensor::DimOp::create(builder, location, like, i));
  Value element = arith::ConstantOp::create(builder, location, builder.getF32FloatAttr(number));
  return tensor::SplatOp::create(builder, location, element, type, sizes);
}

static Value makeReciprocal(OpBuilder &builder, Location location, ValueRange operands) {
  return arith::DivFOp::create(builder, location, filled(builder, location, 1, operands[0]), operands[0]);
}

/// 1 / (1 + exp(-x)).
static Value makeSigmoid(OpBuilder &builder, Location location, ValueRange operands) {
  Value ones = filled(builder, location, 1, operands[0]);
  Value negated = arith::NegFOp::create(builder, location, operands[0]);
  Value exponential = math::ExpOp::create(builder, location, negated);
  Value sum = arith::AddFOp::create(builder, location, exponential, ones);
  return arith::DivFOp::create(builder, location, ones, sum);
}

static constexpr Elementwise table[] = {
    {"Add", 2, make<arith::AddFOp>}, {"Div", 2, make<arith::DivFOp>},   {"Erf", 1, make<math::ErfOp>},
    {"Exp", 1, make<math::ExpOp>},   {"Mul", 2, make<arith::MulFOp>},   {"Neg", 1, make<arith::NegFOp>},
    {"Sub", 2, make<arith::SubFOp>}, {"Reciprocal", 1, makeReciprocal}, {"Sigmoid", 1, makeSigmoid},
    {"Tanh", 1, make<math::TanhOp>}, {"Sqrt", 1, make<math::SqrtOp>},
};

/// The first input that is an activation of the output's type; null when there is none, or another is neither that nor
/// a scalar.
static Value activation(NodeOp node) {
  Value found;
  for (Value input : node.getInputs()) {
    bool fits = input.getType() == node.getOutputs()[0].getType() &&
                (isBatchedRows(input) || dimensions(input)->size() == 2) && !constantScalar(input);
    if (!fits && !constantScalar(input))
      return {};
    found = fits && !found ? input : found;
  }
  auto type = found ? dyn_cast<RankedTensorType>(found.getType()) : RankedTensorType();
  return type && type.getElementType().isF32() ? found : Value();
}

static void convert(NodeOp node, OpBuilder &builder) {
  const Elementwise *row = llvm::find_if(table, [&](const Elementwise &row) { return row.name == node.getOpType(); });
  if (row == std::end(table) || node.getInputs().size() != row->inputs || node.getNumResults() != 1)
    return;
  Value like = activation(node);
  if (!like)
    return;
  builder.setInsertionPoint(node);
  Value rows = toRows(builder, like);
  SmallVector<Value> operands;
  for (Value input : node.getInputs()) {
    auto number = constantScalar(input);
    operands.push_back(number ? filled(builder, node.getLoc(), *number, rows) : toRows(builder, input));
  }
  Value result = row->make(builder, node.getLoc(), operands);
  rewrote(node.getLoc(), "convert-elementwise") << node.getOpType();
  node.getOutputs()[0].replaceAllUsesWith(asLike(builder, result, like));
  node.erase();
}

namespace {
struct ConvertElementwisePass : halftone::impl::ConvertElementwiseBase<ConvertElementwisePass> {
  void runOnOperation() override {
    SmallVector<NodeOp> nodes;
    getOperation().walk([&](NodeOp node) { nodes.push_back(node); });
    OpBuilder builder(&getContext());
    for (NodeOp node : nodes)
      convert(node, builder);
    eraseDead(getOperation());
  }
};
} // namespace
