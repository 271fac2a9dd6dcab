// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// resolve-shapes: types and constants by evaluation at several bindings.
#include "passes/import/Evaluate.h"
#include "passes/import/Passes.h"

namespace halftone {
#define GEN_PASS_DEF_RESOLVESHAPES
#include "passes/import/Passes.h.inc"
} // namespace halftone

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

/// Tokens and past differ from each other, from 1, and from binding to binding, so that no two sizes coincide for long.
static constexpr Binding bindings[] = {{3, 5}, {4, 5}, {3, 7}, {7, 2}};
/// Constants of up to so many elements are written into the IR.
static constexpr int64_t largestFolded = 4096;

namespace {

/// What a value is at every binding.
using Views = SmallVector<const Tensor *, 4>;

struct Resolver {
  func::FuncOp function;
  OpBuilder builder;
  SmallVector<std::unique_ptr<Evaluator>> evaluators;

  LogicalResult run();

private:
  Views view(Value value);
  bool fold(Value value, const Views &views);
  void simplify(NodeOp node);
  void fixReshape(NodeOp node);
  void fixExpand(NodeOp node);
  LogicalResult check(NodeOp node);
};

} // namespace

Views Resolver::view(Value value) {
  Views views;
  for (auto &evaluator : evaluators)
    views.push_back(&evaluator->evaluate(value));
  return views;
}

/// The type that fits all views; null where one has no shape.
static Type typeOf(const Views &views) {
  SmallVector<int64_t> shape(views[0]->shape);
  for (const Tensor *tensor : views) {
    if (!tensor->hasShape() || !tensor->elementType || tensor->shape.size() != shape.size())
      return {};
    for (auto [size, other] : llvm::zip(shape, tensor->shape))
      size = size == other ? size : ShapedType::kDynamic;
  }
  return RankedTensorType::get(shape, views[0]->elementType);
}

static bool sameElements(const Tensor &a, const Tensor &b) {
  return a.isKnown() && a.content == b.content && a.shape == b.shape && a.integers == b.integers &&
         a.floats.size() == b.floats.size() &&
         std::memcmp(a.floats.data(), b.floats.data(), a.floats.size() * sizeof(float)) == 0;
}

/// A matrix in another form stays a weight: its Transpose is none of the IR's constants.
static bool isMatrix(Value value) {
  auto type = dyn_cast<lowbit::WeightType>(value.getType());
  return type && type.getShape().size() == 2;
}

/// Replaces what has the same elements at every binding.
bool Resolver::fold(Value value, const Views &views) {
  if (llvm::any_of(value.getDefiningOp()->getOperands(), isMatrix))
    return false;
  for (const Tensor *tensor : views)
    if (!sameElements(*views[0], *tensor) || tensor->elements() > largestFolded)
      return false;
  builder.setInsertionPointAfterValue(value);
  value.replaceAllUsesWith(arith::ConstantOp::create(builder, value.getLoc(), constantOf(*views[0])));
  return true;
}

//===-- Operands that are shapes ----------------------------------------------------------------------------------===//

/// With at most one dynamic dimension the shape is constant, -1 standing for it.
void Resolver::fixReshape(NodeOp node) {
  SmallVector<int64_t> shape(*dimensions(node.getOutputs()[0]));
  if (llvm::count(shape, ShapedType::kDynamic) > 1 || llvm::is_contained(shape, 0) || node.getInputs().size() < 2)
    return;
  llvm::replace(shape, ShapedType::kDynamic, int64_t(-1));
  builder.setInsertionPoint(node);
  node.getInputsMutable()[1].set(makeIntegers(builder, node.getLoc(), shape));
}

/// A dimension that the input already has is 1 in the operand: it broadcasts to what is there.
void Resolver::fixExpand(NodeOp node) {
  auto from = dimensions(node.getInputs()[0]), to = dimensions(node.getOutputs()[0]);
  if (!from || !to || to->size() < from->size())
    return;
  SmallVector<int64_t> shape(*to);
  Views before = view(node.getInputs()[0]), after = view(node.getOutputs()[0]);
  size_t lead = to->size() - from->size();
  for (size_t i = 0; i < shape.size(); ++i) {
    bool same = i >= lead;
    for (auto [a, b] : llvm::zip(before, after))
      same = same && a->shape[i - lead] == b->shape[i];
    if (same)
      shape[i] = 1;
    else if (ShapedType::isDynamic(shape[i]))
      return;
  }
  builder.setInsertionPoint(node);
  node.getInputsMutable()[1].set(makeIntegers(builder, node.getLoc(), shape));
}

void Resolver::simplify(NodeOp node) {
  if (node.getNumResults() == 0 || !dimensions(node.getOutputs()[0]))
    return;
  Value output = node.getOutputs()[0], input = node.getInputs().empty() ? Value() : node.getInputs()[0];
  StringRef type = node.getOpType();
  if (type == "Reshape")
    fixReshape(node);
  if (type == "Expand")
    fixExpand(node);
  bool passes = type == "Cast" || type == "Identity" || type == "Dropout";
  if (passes && input && input.getType() == output.getType() &&
      (node.getNumResults() == 1 || node.getOutputs()[1].use_empty()))
    output.replaceAllUsesWith(input);
}

static std::string shapeOf(const Tensor &tensor, Type type) {
  std::string text;
  llvm::raw_string_ostream out(text);
  auto ranked = dyn_cast<RankedTensorType>(type);
  out << "[";
  llvm::interleaveComma(llvm::seq(tensor.shape.size()), out,
                        [&](size_t i) { ranked &&ranked.isDynamicDim(i) ? out << "?" : out << tensor.shape[i]; });
  out << "]";
  return text;
}

/// A node that has the shapes of its inputs, and still none itself.
LogicalResult Resolver::check(NodeOp node) {
  bool hasShapes = llvm::all_of(node.getInputs(), [&](Value input) {
    return isa<NoneType>(input.getType()) || evaluators[0]->evaluate(input).hasShape();
  });
  if (!hasShapes || node.getNumResults() == 0 || evaluators[0]->evaluate(node.getOutputs()[0]).hasShape())
    return success();
  auto error = emitNodeError(node) << "gives no result for inputs of shape ";
  llvm::interleave(
      llvm::make_filter_range(node.getInputs(), [](Value input) { return !isa<NoneType>(input.getType()); }),
      [&](Value input) { error << shapeOf(evaluators[0]->evaluate(input), input.getType()); }, [&] { error << ", "; });
  return error;
}

LogicalResult Resolver::run() {
  eraseDead(function);
  SmallVector<NodeOp> nodes;
  function.walk([&](NodeOp node) { nodes.push_back(node); });
  SmallVector<SmallVector<Views>> views;
  for (NodeOp node : nodes)
    llvm::transform(node.getOutputs(), std::back_inserter(views.emplace_back()),
                    [&](Value output) { return view(output); });
  for (auto [node, outputs] : llvm::zip(nodes, views))
    for (auto [output, seen] : llvm::zip(node.getOutputs(), outputs))
      if (Type type = typeOf(seen))
        output.setType(type);
  for (NodeOp node : nodes)
    if (failed(check(node)))
      return failure();
  for (NodeOp node : nodes)
    simplify(node);
  for (auto [node, outputs] : llvm::zip(nodes, views))
    for (auto [output, seen] : llvm::zip(node.getOutputs(), outputs))
      fold(output, seen);
  Operation *end = function.getBody().front().getTerminator();
  function.setFunctionType(builder.getFunctionType(function.getArgumentTypes(), end->getOperandTypes()));
  eraseDead(function);
  return success();
}

namespace {
struct ResolveShapesPass : halftone::impl::ResolveShapesBase<ResolveShapesPass> {
  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    WeightFiles files;
    Resolver resolver{getOperation(), OpBuilder(&getContext()), {}};
    for (Binding binding : bindings)
      resolver.evaluators.push_back(std::make_unique<Evaluator>(binding, files));
    if (failed(resolver.run()))
      signalPassFailure();
  }
};
} // namespace
