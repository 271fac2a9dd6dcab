// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The evaluator: what a value depends on first, then the value; upstream's few tensor operations beside ONNX's.
#include "passes/import/Evaluate.h"

#include "passes/import/Operator.h"
#include "passes/import/OperatorTable.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

/// Weights up to this many elements are read where an operation needs them: tables of angles, not layers.
static constexpr int64_t largestWeight = int64_t(1) << 24;
/// Tensors up to this many elements may become roots of linear forms.
static constexpr int64_t largestRoot = int64_t(1) << 20;

/// Operations on tokens know their result's shape without their operands: the only dynamic dimension is the tokens.
static bool standsAlone(Operation *op) { return isa<lowbit::LowbitDialect>(op->getDialect()); }

const Tensor &Evaluator::evaluate(Value value) {
  SmallVector<Value> pending = {value};
  while (!pending.empty()) {
    Value next = pending.back();
    Operation *op = next.getDefiningOp();
    if (memory.contains(next)) {
      pending.pop_back();
      continue;
    }
    size_t before = pending.size();
    if (op && !standsAlone(op))
      llvm::copy_if(op->getOperands(), std::back_inserter(pending), [&](Value v) { return !memory.contains(v); });
    if (pending.size() != before)
      continue;
    if (op)
      evaluateOperation(op);
    else
      store(next, evaluateArgument(cast<BlockArgument>(next)));
    pending.pop_back();
  }
  return *memory.find(value)->second;
}

/// Arithmetic is in int64: what an element type has no room for is cut off.
static void wrap(Tensor &tensor) {
  auto type = dyn_cast_if_present<IntegerType>(tensor.elementType);
  if (type && type.getWidth() > 1 && type.getWidth() < 64)
    for (int64_t &element : tensor.integers)
      element = tensor.integerOf(APInt(type.getWidth(), static_cast<uint64_t>(element), false, /*implicitTrunc=*/true));
}

void Evaluator::store(Value value, Tensor tensor) {
  wrap(tensor);
  if (unknowns == Unknowns::Roots && tensor.content == Tensor::Content::Unknown && tensor.isFloat() &&
      tensor.elements() <= largestRoot) {
    tensor.content = Tensor::Content::Forms;
    for (int64_t i = 0, count = tensor.elements(); i < count; ++i)
      tensor.forms.push_back(Form(1, Term{.root = value, .index = i}));
  }
  memory[value] = std::make_unique<Tensor>(std::move(tensor));
}

/// The shape of a type whose dynamic dimensions all have one size.
static Tensor ofType(Type type, int64_t dynamicSize) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return {};
  SmallVector<int64_t> shape(tensor.getShape());
  llvm::replace(shape, ShapedType::kDynamic, dynamicSize);
  return Tensor::ofShape(tensor.getElementType(), shape);
}

Tensor Evaluator::evaluateArgument(BlockArgument argument) {
  if (argument.getType().isIndex())
    return Tensor::of(argument.getType(), {}, std::vector<int64_t>{binding.past});
  auto function = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
  bool isPast = function && function.getArgAttr(argument.getArgNumber(), pastAttribute);
  return ofType(argument.getType(), isPast ? binding.past : binding.tokens);
}

static Tensor ofConstant(DenseElementsAttr elements) {
  Tensor tensor = Tensor::ofShape(elements.getElementType(), elements.getType().getShape());
  if (isa<FloatType>(elements.getElementType())) {
    for (const APFloat &element : elements.getValues<APFloat>())
      tensor.floats.push_back(static_cast<float>(element.convertToDouble()));
    tensor.content = Tensor::Content::Floats;
  } else if (isa<IntegerType>(elements.getElementType())) {
    for (const APInt &element : elements.getValues<APInt>())
      tensor.integers.push_back(tensor.integerOf(element));
    tensor.content = Tensor::Content::Integers;
  }
  return tensor;
}

DenseElementsAttr halftone::importer::constantOf(const Tensor &tensor) {
  auto type = RankedTensorType::get(tensor.shape, tensor.elementType);
  if (auto floating = dyn_cast<FloatType>(tensor.elementType)) {
    SmallVector<APFloat> elements;
    for (float number : tensor.floats) {
      bool inexact = false;
      elements.emplace_back(number).convert(floating.getFloatSemantics(), APFloat::rmNearestTiesToEven, &inexact);
    }
    return DenseElementsAttr::get(type, elements);
  }
  SmallVector<APInt> elements;
  for (int64_t number : tensor.integers)
    elements.emplace_back(tensor.elementType.getIntOrFloatBitWidth(), static_cast<uint64_t>(number), true, true);
  return DenseElementsAttr::get(type, elements);
}

/// A reshape to a type with at most one dynamic dimension.
static Tensor reshapeTo(const Tensor &input, RankedTensorType type) {
  int64_t known = 1;
  for (int64_t size : type.getShape())
    known *= ShapedType::isDynamic(size) ? 1 : size;
  Tensor result = input;
  result.shape = ofType(type, known == 0 ? 0 : input.elements() / known).shape;
  return result;
}

static Tensor splat(const Tensor &element, ArrayRef<int64_t> shape) {
  Tensor result = Tensor::ofShape(element.elementType, shape);
  result.content = element.content;
  if (element.content == Tensor::Content::Integers)
    result.integers.assign(result.elements(), element.integers[0]);
  if (element.content == Tensor::Content::Floats)
    result.floats.assign(result.elements(), element.floats[0]);
  return result;
}

void Evaluator::evaluateOperation(Operation *op) {
  auto operand = [&](unsigned i) -> const Tensor & { return *memory.find(op->getOperand(i))->second; };
  auto integer = [&](unsigned i) { return operand(i).isKnown() ? operand(i).integers[0] : 0; };
  auto give = [&](Tensor tensor) { store(op->getResult(0), std::move(tensor)); };
  if (auto node = dyn_cast<NodeOp>(op))
    return evaluateNode(node);
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    if (auto elements = dyn_cast<DenseElementsAttr>(constant.getValue()))
      return give(ofConstant(elements));
    if (auto number = dyn_cast<IntegerAttr>(constant.getValue()))
      return give(Tensor::of(constant.getType(), {}, std::vector<int64_t>{number.getValue().getSExtValue()}));
    if (auto number = dyn_cast<FloatAttr>(constant.getValue()))
      return give(
          Tensor::of(constant.getType(), {}, std::vector<float>{static_cast<float>(number.getValueAsDouble())}));
  }
  if (isa<lowbit::GetOp, lowbit::WidenOp>(op)) {
    Tensor tensor;
    if (auto type = dyn_cast<lowbit::WeightType>(op->getResult(0).getType())) {
      tensor = Tensor::ofShape(Float32Type::get(op->getContext()), type.getShape());
      tensor.content = Tensor::Content::Weight;
    }
    return give(std::move(tensor));
  }
  if (isa<arith::IndexCastOp>(op)) {
    Tensor result = operand(0);
    result.elementType = op->getResult(0).getType();
    return give(std::move(result));
  }
  if (isa<arith::AddIOp>(op) && operand(0).shape.empty())
    return give(Tensor::of(op->getResult(0).getType(), {}, std::vector<int64_t>{integer(0) + integer(1)}));
  if (isa<tensor::DimOp>(op) && operand(0).hasShape() && integer(1) < static_cast<int64_t>(operand(0).shape.size()))
    return give(Tensor::of(op->getResult(0).getType(), {}, std::vector<int64_t>{operand(0).shape[integer(1)]}));
  if (auto from = dyn_cast<tensor::FromElementsOp>(op); from && isa<IntegerType>(from.getType().getElementType())) {
    std::vector<int64_t> elements;
    for (unsigned i = 0; i < op->getNumOperands(); ++i)
      elements.push_back(integer(i));
    return give(Tensor::of(from.getType().getElementType(), from.getType().getShape(), std::move(elements)));
  }
  if (auto filled = dyn_cast<tensor::SplatOp>(op)) {
    SmallVector<int64_t> shape(filled.getType().getShape());
    unsigned next = 1;
    for (int64_t &size : shape)
      size = ShapedType::isDynamic(size) ? integer(next++) : size;
    return give(splat(operand(0), shape));
  }
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op) && operand(0).hasShape())
    return give(reshapeTo(operand(0), cast<RankedTensorType>(op->getResult(0).getType())));
  for (Value result : op->getResults())
    store(result, ofType(result.getType(), binding.tokens));
}

const Tensor &Evaluator::loaded(Value handle, bool othersKnown) {
  const Tensor &shape = *memory.find(handle)->second;
  if (!othersKnown || shape.elements() > largestWeight)
    return shape;
  auto &slot = weights[handle];
  if (slot)
    return *slot;
  auto reader = files.open(weightOf(handle));
  if (!reader || weightOf(handle).getTransposed())
    return shape;
  auto floats = reader->allFloats();
  if (!floats)
    return shape;
  slot = std::make_unique<Tensor>(Tensor::of(shape.elementType, shape.shape, std::move(*floats)));
  return *slot;
}

/// The operator's row where shapes of all inputs are known and none that it needs is absent; else null.
static const Operator *evaluable(const Call &call) {
  const SupportedOperator *row = supportedOperator(call.node.getDomain(), call.node.getOpType());
  for (const Tensor *input : call.inputs)
    if (input && !input->hasShape())
      return nullptr;
  for (int64_t i = 0; row && i < row->inputs; ++i)
    if (!call.has(i))
      return nullptr;
  return row ? findOperator(call.node.getOpType()) : nullptr;
}

void Evaluator::evaluateNode(NodeOp node) {
  Call call{node, {}};
  bool othersKnown = true;
  for (Value input : node.getInputs()) {
    const Tensor &tensor = *memory.find(input)->second;
    othersKnown &= isa<NoneType>(input.getType()) || tensor.isKnown() || tensor.content == Tensor::Content::Weight;
  }
  for (Value input : node.getInputs()) {
    const Tensor &tensor = *memory.find(input)->second;
    bool isWeight = tensor.content == Tensor::Content::Weight;
    bool isAbsent = isa<NoneType>(input.getType());
    call.inputs.push_back(isAbsent ? nullptr : isWeight ? &loaded(input, othersKnown) : &tensor);
  }
  const Operator *row = evaluable(call);
  Outputs outputs = row ? row->evaluate(call) : std::nullopt;
  for (auto [i, result] : llvm::enumerate(node.getOutputs())) {
    bool isGood = outputs && i < outputs->size() && (*outputs)[i].isConsistent();
    store(result, isGood ? std::move((*outputs)[i]) : Tensor());
  }
}
