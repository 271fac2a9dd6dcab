// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// convert-nodes: one walk in the order of the graph; what a node reads is converted before it.
#include "passes/function/Conversion.h"
#include "passes/function/Passes.h"
#include "passes/import/Evaluate.h"
#include "passes/import/Operator.h"

#include "mlir/IR/Verifier.h"

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
  void holdArguments();
  LogicalResult convert(NodeOp node);
  bool fold(NodeOp node, OpBuilder &builder);
  void keepChecks(const Conversion &conversion);
  void finish();

  func::FuncOp function;
  importer::WeightFiles files; // empty: a function has no lowbit.weight
  importer::Evaluator evaluator;
  /// What is checked when the graph has run: results behind the graph's own.
  SmallVector<Value> checks;
  SmallVector<DictionaryAttr> checkAttributes;
};

} // namespace

/// Arguments enter as their elements are held.
void Converter::holdArguments() {
  OpBuilder builder = OpBuilder::atBlockBegin(&function.getBody().front());
  for (BlockArgument argument : function.getArguments()) {
    auto type = cast<RankedTensorType>(argument.getType());
    const Type element = type.getElementType();
    argument.setType(type.clone(heldAs(element)));
    Value seen = asElements(builder, argument, element);
    if (seen != argument)
      argument.replaceAllUsesExcept(seen, seen.getDefiningOp());
  }
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

/// Whether the evaluator, which computes in float32 and int64, has no room for such elements.
static bool isWide(Value tensor) {
  const Type element = getElementTypeOrSelf(tensor.getType());
  return element.isF64() || element.isUnsignedInteger(64);
}

/// Replaces the results that can be evaluated; true when all that is read are.
bool Converter::fold(NodeOp node, OpBuilder &builder) {
  for (Value input : node.getInputs())
    if (isWide(input))
      evaluator.assume(input, evaluator.evaluate(input));
  SmallVector<Value> read;
  llvm::copy_if(node.getOutputs(), std::back_inserter(read), [](Value result) { return !result.use_empty(); });
  for (Value result : read) {
    const importer::Tensor &known = evaluator.evaluate(result);
    if (!known.isKnown() || known.elements() > largestConstant || known.elementType.isF64())
      return false;
  }
  for (Value result : read)
    result.replaceAllUsesWith(
        arith::ConstantOp::create(builder, node.getLoc(), importer::constantOf(evaluator.evaluate(result))));
  return true;
}

/// The element type in the graph of a result that is held as `element`.
static Type typeOfResult(const Conversion &conversion, const Operator &row, Type element) {
  Type type = conversion.given;
  if (!type && row.like >= 0 && conversion.has(row.like))
    type = conversion.types[row.like];
  return type && heldAs(type) == element ? type : element;
}

static LogicalResult replace(Conversion &conversion, const Operator &row, ArrayRef<Value> results) {
  for (auto [i, result] : llvm::enumerate(conversion.node.getOutputs())) {
    if (result.use_empty())
      continue;
    if (i >= results.size() || !results[i])
      return conversion.fail("output " + Twine(i) + " is not supported");
    const Type type = typeOfResult(conversion, row, elementOf(results[i]));
    result.replaceAllUsesWith(asElements(conversion.b.builder, results[i], type));
  }
  return success();
}

/// What a row makes of element types that its operator does not take is no valid operation.
static LogicalResult checkTypes(Conversion &conversion, Operation *before) {
  ScopedDiagnosticHandler quiet(conversion.node.getContext(), [](Diagnostic &) { return success(); });
  Operation *made = before ? before->getNextNode() : &conversion.node->getBlock()->front();
  for (; made != conversion.node; made = made->getNextNode())
    if (failed(mlir::verify(made)))
      return failure();
  return success();
}

static LogicalResult refuseTypes(Conversion &conversion) {
  std::string types;
  llvm::raw_string_ostream out(types);
  llvm::interleaveComma(llvm::make_filter_range(conversion.types, [](Type type) { return !!type; }), out);
  return conversion.fail("inputs of " + types + " are not supported");
}

void Converter::keepChecks(const Conversion &conversion) {
  Builder builder(function.getContext());
  for (const IndexCheck &check : conversion.checks) {
    checks.push_back(check.outside);
    checkAttributes.push_back(builder.getDictionaryAttr(
        {builder.getNamedAttr(indicesOfAttribute, builder.getStringAttr(importer::describe(conversion.node))),
         builder.getNamedAttr(indexedAttribute, builder.getI64IntegerAttr(check.size))}));
  }
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
    conversion.inputs.push_back(isAbsent ? Value() : held(builder, input));
    conversion.types.push_back(isAbsent ? Type() : elementOf(input));
  }
  for (unsigned i = 0; i < row->inputs; ++i)
    if (!conversion.has(i))
      return importer::emitNodeError(node) << "needs " << row->inputs << " inputs, input " << i << " is missing";
  for (Value output : node.getOutputs()) {
    const importer::Tensor &seen = evaluator.evaluate(output);
    conversion.shapes.push_back(seen.hasShape() ? std::optional(SmallVector<int64_t>(seen.shape)) : std::nullopt);
  }
  Operation *before = node->getPrevNode();
  Results results = row->convert(conversion);
  if (failed(results))
    return failure();
  if (!conversion.b.fault().empty())
    return conversion.fail(conversion.b.fault());
  if (failed(checkTypes(conversion, before)))
    return refuseTypes(conversion);
  keepChecks(conversion);
  return replace(conversion, *row, *results);
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
  holdArguments();
  for (NodeOp node : nodes)
    if (failed(convert(node)))
      return failure();
  finish();
  importer::eraseDead(function);
  return success();
}

/// Results leave as their elements are held, and checks behind them.
void Converter::finish() {
  Operation *end = function.getBody().front().getTerminator();
  OpBuilder builder(end);
  for (OpOperand &result : end->getOpOperands())
    result.set(held(builder, result.get()));
  function.setFunctionType(
      FunctionType::get(function.getContext(), function.getBody().getArgumentTypes(), end->getOperandTypes()));
  for (auto [check, attributes] : llvm::zip_equal(checks, checkAttributes)) {
    (void)function.insertResult(end->getNumOperands(), check.getType(), attributes);
    end->insertOperands(end->getNumOperands(), check);
  }
}

namespace {
struct ConvertNodesPass : halftone::impl::ConvertNodesBase<ConvertNodesPass> {
  void runOnOperation() override {
    if (!getOperation().isExternal() && failed(Converter(getOperation()).run()))
      signalPassFailure();
  }
};
} // namespace
