// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading and making onnx.node.
#include "passes/import/Node.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace halftone::importer;

NodeOp halftone::importer::definedBy(Value value, StringRef type) {
  auto node = value ? value.getDefiningOp<NodeOp>() : NodeOp();
  return node && node.getOpType() == type ? node : NodeOp();
}

bool halftone::importer::isNode(Operation *op, StringRef type) {
  auto node = dyn_cast_or_null<NodeOp>(op);
  return node && node.getOpType() == type;
}

Value halftone::importer::otherInput(NodeOp node, Value known) {
  if (node.getInputs().size() != 2)
    return {};
  if (node.getInputs()[0] == known)
    return node.getInputs()[1];
  return node.getInputs()[1] == known ? node.getInputs()[0] : Value();
}

int64_t halftone::importer::parameter(NodeOp node, StringRef name, int64_t otherwise) {
  auto attribute = node.getParameters().getAs<IntegerAttr>(name);
  return attribute ? attribute.getValue().getSExtValue() : otherwise;
}

float halftone::importer::parameter(NodeOp node, StringRef name, float otherwise) {
  auto attribute = node.getParameters().getAs<FloatAttr>(name);
  return attribute ? static_cast<float>(attribute.getValueAsDouble()) : otherwise;
}

std::optional<SmallVector<int64_t>> halftone::importer::listParameter(NodeOp node, StringRef name) {
  auto attribute = node.getParameters().getAs<DenseI64ArrayAttr>(name);
  if (!attribute)
    return std::nullopt;
  return SmallVector<int64_t>(attribute.asArrayRef());
}

std::optional<SmallVector<int64_t>> halftone::importer::constantIntegers(Value value) {
  DenseIntElementsAttr elements;
  if (!value || !matchPattern(value, m_Constant(&elements)))
    return std::nullopt;
  SmallVector<int64_t> integers;
  for (const APInt &element : elements.getValues<APInt>())
    integers.push_back(element.getSExtValue());
  return integers;
}

std::optional<float> halftone::importer::constantScalar(Value value) {
  DenseFPElementsAttr elements;
  if (!value || !matchPattern(value, m_Constant(&elements)) || elements.getNumElements() != 1)
    return std::nullopt;
  return static_cast<float>((*elements.getValues<APFloat>().begin()).convertToDouble());
}

std::string halftone::importer::operatorOf(NodeOp node) {
  if (auto original = node->getAttrOfType<StringAttr>(expandedAttribute))
    return original.str();
  std::string domain = node.getDomain().empty() ? "" : node.getDomain().str() + ".";
  return domain + node.getOpType().str() + ", opset " + std::to_string(node.getOpset());
}

std::string halftone::importer::describe(NodeOp node) {
  std::string text;
  llvm::raw_string_ostream out(text);
  if (auto module = node->getParentOfType<ModuleOp>())
    if (auto source = module->getAttrOfType<StringAttr>("halftone.source"))
      out << source.getValue() << ": ";
  out << "node '" << node.getName() << "' (" << operatorOf(node) << ")";
  return text;
}

InFlightDiagnostic halftone::importer::emitNodeError(NodeOp node) {
  return mlir::emitError(node.getLoc()) << describe(node) << ": ";
}

std::optional<ArrayRef<int64_t>> halftone::importer::dimensions(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return std::nullopt;
  return type.getShape();
}

Value halftone::importer::makeNode(OpBuilder &builder, NodeOp like, StringRef type, ValueRange inputs, Type result,
                                   ArrayRef<NamedAttribute> parameters) {
  auto node = NodeOp::create(builder, like.getLoc(), TypeRange(result), builder.getStringAttr(type),
                             builder.getStringAttr(""), builder.getI64IntegerAttr(like.getOpset()), like.getNameAttr(),
                             builder.getDictionaryAttr(parameters), inputs);
  return node.getOutputs()[0];
}

Value halftone::importer::makeIntegers(OpBuilder &builder, Location location, ArrayRef<int64_t> elements) {
  auto type = RankedTensorType::get({static_cast<int64_t>(elements.size())}, builder.getI64Type());
  return arith::ConstantOp::create(builder, location, DenseIntElementsAttr::get(type, elements));
}

void halftone::importer::eraseDead(Operation *root) {
  SmallVector<Operation *> operations;
  root->walk([&](Operation *op) {
    if (op != root)
      operations.push_back(op);
  });
  for (Operation *op : llvm::reverse(operations))
    if (isOpTriviallyDead(op))
      op->erase();
}

llvm::SetVector<Operation *> halftone::importer::makersOf(Value value) {
  llvm::SetVector<Operation *> makers;
  if (Operation *op = value.getDefiningOp())
    makers.insert(op);
  for (size_t i = 0; i < makers.size(); ++i) // grows while it is read: graphs may be deeper than the stack
    for (Value operand : makers[i]->getOperands())
      if (Operation *op = operand.getDefiningOp())
        makers.insert(op);
  return makers;
}
