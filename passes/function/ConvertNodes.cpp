// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// convert-nodes: one walk in the order of the graph; what a node reads is converted before it.
#include "passes/function/Conversion.h"
#include "passes/function/Passes.h"
#include "passes/import/Evaluate.h"
#include "passes/import/Operator.h"

#include "llvm/ADT/DenseSet.h"

namespace halftone {
#define GEN_PASS_DEF_CONVERTNODES
#include "passes/function/Passes.h.inc"
} // namespace halftone

using namespace mlir;
using namespace halftone;
using namespace halftone::function;

/// Values of up to so many elements are constants of the code where they can be evaluated: masks and tables of angles.
static constexpr int64_t largestConstant = int64_t(1) << 20;

namespace {

class Converter {
public:
  explicit Converter(func::FuncOp function) : function(function), evaluator(importer::Binding(), files) {}

  LogicalResult run();

private:
  LogicalResult checkOperators(ArrayRef<NodeOp> nodes);
  void makeSignless();
  LogicalResult convert(NodeOp node);
  bool fold(NodeOp node, OpBuilder &builder);
  LogicalResult replace(Conversion &conversion, ArrayRef<Value> results);
  bool isUnsigned(Value value) const { return unsignedValues.contains(value); }

  func::FuncOp function;
  importer::WeightFiles files; // empty: a function has no lowbit.weight
  importer::Evaluator evaluator;
  llvm::DenseSet<Value> unsignedValues;
};

} // namespace

static Type signless(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  auto integer = tensor ? dyn_cast<IntegerType>(tensor.getElementType()) : IntegerType();
  return integer && integer.isUnsigned() ? tensor.clone(IntegerType::get(type.getContext(), integer.getWidth()))
                                         : Type();
}

/// Arithmetic is on signless integers; what is unsigned is remembered.
void Converter::makeSignless() {
  for (BlockArgument argument : function.getArguments())
    if (Type type = signless(argument.getType())) {
      argument.setType(type);
      unsignedValues.insert(argument);
    }
  function.walk([&](arith::ConstantOp constant) {
    Type type = signless(constant.getType());
    auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
    if (!type || !elements)
      return;
    constant.setValueAttr(elements.bitcast(cast<RankedTensorType>(type).getElementType()));
    constant.getResult().setType(type);
    unsignedValues.insert(constant);
  });
}

/// Whether importing knows the operator's shape or elements without one of our rows.
static bool isEvaluated(NodeOp node) {
  return node.getDomain().empty() && importer::findOperator(node.getOpType()) != nullptr;
}

/// All nodes that cannot be converted, in one error.
LogicalResult Converter::checkOperators(ArrayRef<NodeOp> nodes) {
  SmallVector<NodeOp> unknown;
  for (NodeOp node : nodes) {
    const Operator *row = findOperator(node.getDomain(), node.getOpType());
    if (row ? static_cast<int64_t>(node.getOpset()) < row->since : !isEvaluated(node))
      unknown.push_back(node);
  }
  if (unknown.empty())
    return success();
  auto error = mlir::emitError(unknown[0].getLoc()) << importer::describe(unknown[0]) << ": operator is not supported";
  for (NodeOp node : ArrayRef(unknown).drop_front())
    error.attachNote(node.getLoc()) << importer::describe(node) << ": neither is this";
  return error;
}

/// Replaces the results that can be evaluated; true when all that is read are.
bool Converter::fold(NodeOp node, OpBuilder &builder) {
  // The evaluator takes integers for signed ones, and computes floats in single precision.
  if (llvm::any_of(node.getInputs(),
                   [&](Value input) { return isUnsigned(input) || getElementTypeOrSelf(input.getType()).isF64(); }))
    return false;
  bool all = true;
  for (Value result : node.getOutputs()) {
    if (result.use_empty())
      continue;
    const importer::Tensor &known = evaluator.evaluate(result);
    all &= known.isKnown() && known.elements() <= largestConstant;
  }
  if (!all)
    return false;
  for (Value result : node.getOutputs())
    if (!result.use_empty()) {
      const importer::Tensor &known = evaluator.evaluate(result);
      result.replaceAllUsesWith(arith::ConstantOp::create(builder, node.getLoc(), importer::constantOf(known)));
    }
  return true;
}

static bool isUnsignedResult(Conversion &conversion, Value result) {
  if (!isa<IntegerType>(elementOf(result)))
    return false;
  if (conversion.givesUnsigned)
    return *conversion.givesUnsigned;
  return conversion.has(0) && conversion.isUnsigned[0] && elementOf(result) == elementOf(conversion.input(0));
}

LogicalResult Converter::replace(Conversion &conversion, ArrayRef<Value> results) {
  for (auto [i, result] : llvm::enumerate(conversion.node.getOutputs())) {
    if (result.use_empty())
      continue;
    if (i >= results.size() || !results[i])
      return conversion.fail("output " + Twine(i) + " is not supported");
    if (isUnsignedResult(conversion, results[i]))
      unsignedValues.insert(results[i]);
    result.replaceAllUsesWith(results[i]);
  }
  return success();
}

LogicalResult Converter::convert(NodeOp node) {
  if (llvm::all_of(node.getOutputs(), [](Value output) { return output.use_empty(); }))
    return success();
  OpBuilder builder(node);
  if (fold(node, builder))
    return success();
  const Operator *row = findOperator(node.getDomain(), node.getOpType());
  if (!row)
    return importer::emitNodeError(node) << "its result depends on values that are known only when the graph runs";
  Conversion conversion{node, TensorBuilder(builder, node.getLoc()), {}, {}, {}};
  for (Value input : node.getInputs()) {
    const bool isAbsent = isa<NoneType>(input.getType());
    conversion.inputs.push_back(isAbsent ? Value() : input);
    conversion.isUnsigned.push_back(isUnsigned(input));
  }
  for (unsigned i = 0; i < row->inputs; ++i)
    if (!conversion.has(i))
      return importer::emitNodeError(node) << "needs " << row->inputs << " inputs, input " << i << " is missing";
  conversion.isUnsigned.resize(std::max<size_t>(conversion.isUnsigned.size(), 1));
  for (Value output : node.getOutputs()) {
    const importer::Tensor &seen = evaluator.evaluate(output);
    conversion.shapes.push_back(seen.hasShape() ? std::optional(SmallVector<int64_t>(seen.shape)) : std::nullopt);
  }
  Results results = row->convert(conversion);
  if (failed(results))
    return failure();
  if (!conversion.b.fault().empty())
    return conversion.fail(conversion.b.fault());
  return replace(conversion, *results);
}

LogicalResult Converter::run() {
  for (BlockArgument argument : function.getArguments())
    if (auto type = dyn_cast<RankedTensorType>(argument.getType()); !type || !type.hasStaticShape())
      return mlir::emitError(argument.getLoc())
             << "argument " << argument.getArgNumber() << " is " << argument.getType() << ", not of a known shape";
  importer::eraseDead(function);
  SmallVector<NodeOp> nodes;
  function.walk([&](NodeOp node) { nodes.push_back(node); });
  if (failed(checkOperators(nodes)))
    return failure();
  makeSignless();
  for (NodeOp node : nodes)
    if (failed(convert(node)))
      return failure();
  Operation *end = function.getBody().front().getTerminator();
  function.setFunctionType(
      FunctionType::get(function.getContext(), function.getBody().getArgumentTypes(), end->getOperandTypes()));
  importer::eraseDead(function);
  return success();
}

namespace {
struct ConvertNodesPass : halftone::impl::ConvertNodesBase<ConvertNodesPass> {
  void runOnOperation() override {
    if (!getOperation().isExternal() && failed(Converter(getOperation()).run()))
      signalPassFailure();
  }
};
} // namespace
