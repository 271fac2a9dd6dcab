// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Copies an ONNX graph into onnx.node: names become values, constants and weights.
#include "passes/import/ImportGraph.h"

#include "dialects/lowbit/Facts.h"
#include "dialects/lowbit/Lowbit.h"
#include "dialects/onnx/Onnx.h"
#include "passes/import/ContextLength.h"
#include "passes/import/ImportTensor.h"
#include "passes/import/OperatorTable.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Verifier.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

namespace {

class Importer {
public:
  Importer(ModuleOp module, const onnx::Model &model, GraphUse use)
      : module(module), symbols(module), model(model), use(use), builder(module.getContext()),
        tensors(symbols, model, use, builder), source(llvm::sys::path::filename(model.path)) {}

  LogicalResult run();

private:
  InFlightDiagnostic error(Location location, const onnx::Node &node) {
    return emitError(location) << source << ": node '" << node.label() << "' ("
                               << (node.domain.empty() ? "" : node.domain + ".") << node.opType << ", opset "
                               << opsetOf(node) << "): ";
  }
  Location locationOf(StringRef name) { return importer::locationOf(builder, name); }
  int64_t opsetOf(const onnx::Node &node) const {
    auto entry = model.opsets.find(node.domain);
    return entry == model.opsets.end() ? 0 : entry->second;
  }

  LogicalResult unsupported(Location location, const onnx::Node &node);
  LogicalResult makeFunction();
  LogicalResult addInitializers();
  FailureOr<Value> addConstant(const onnx::Node &node);
  LogicalResult addNode(const onnx::Node &node);
  LogicalResult addReturn();
  FailureOr<NamedAttribute> convert(const onnx::Node &node, const onnx::Attribute &attribute);
  FailureOr<SmallVector<Value>> inputsOf(const onnx::Node &node);
  Type typeOf(const onnx::ValueInfo &info);

  ModuleOp module;
  SymbolTable symbols;
  const onnx::Model &model;
  const GraphUse use;
  OpBuilder builder;
  TensorImporter tensors;
  std::string source;
  func::FuncOp function;
  llvm::StringMap<Value> values;
  Value absent;
};

} // namespace

/// The size a dimension is known to have; exporters also write sizes as names.
static int64_t staticSize(const onnx::Dimension &dimension) {
  if (const int64_t *size = std::get_if<int64_t>(&dimension))
    return *size;
  int64_t size = 0;
  bool isNumber = !StringRef(std::get<std::string>(dimension)).getAsInteger(10, size);
  return isNumber && size > 0 ? size : ShapedType::kDynamic;
}

Type Importer::typeOf(const onnx::ValueInfo &info) {
  Type element = tensors.elementType(info.type);
  if (!element)
    return {};
  if (!info.shape)
    return UnrankedTensorType::get(element);
  SmallVector<int64_t> shape;
  llvm::append_range(shape, llvm::map_range(*info.shape, staticSize));
  return RankedTensorType::get(shape, element);
}

//===-- Nodes -----------------------------------------------------------------------------------------------------===//

/// What a decoder casts to, by TensorProto.DataType: it computes float16 (10) and bfloat16 (16) in float (1).
static int64_t computedType(int64_t number) { return number == 10 || number == 16 ? 1 : number; }

FailureOr<NamedAttribute> Importer::convert(const onnx::Node &node, const onnx::Attribute &attribute) {
  auto named = [&](Attribute value) { return NamedAttribute(builder.getStringAttr(attribute.name), value); };
  Type si64 = builder.getIntegerType(64, /*isSigned=*/true);
  if (auto *value = std::get_if<int64_t>(&attribute.value)) {
    const bool isType = use == GraphUse::Decoder && node.opType == "Cast" && attribute.name == "to";
    return named(IntegerAttr::get(si64, isType ? computedType(*value) : *value));
  }
  if (auto *value = std::get_if<float>(&attribute.value))
    return named(builder.getF32FloatAttr(*value));
  if (auto *value = std::get_if<std::string>(&attribute.value))
    return named(builder.getStringAttr(*value));
  if (auto *value = std::get_if<std::vector<int64_t>>(&attribute.value))
    return named(builder.getDenseI64ArrayAttr(*value));
  if (auto *value = std::get_if<std::vector<float>>(&attribute.value))
    return named(builder.getDenseF32ArrayAttr(*value));
  if (auto *value = std::get_if<std::vector<std::string>>(&attribute.value))
    return named(builder.getStrArrayAttr(SmallVector<StringRef>(value->begin(), value->end())));
  if (std::holds_alternative<std::unique_ptr<onnx::Graph>>(attribute.value) && use == GraphUse::Function)
    return named(builder.getUnitAttr()); // no operator with a graph inside is supported, and the error comes later
  if (auto *value = std::get_if<onnx::Tensor>(&attribute.value)) {
    FailureOr<DenseElementsAttr> constant = tensors.elements(*value, node.label());
    if (failed(constant))
      return failure();
    return named(*constant);
  }
  return error(locationOf(node.label()), node) << "attribute '" << attribute.name << "' has a type not supported";
}

FailureOr<SmallVector<Value>> Importer::inputsOf(const onnx::Node &node) {
  SmallVector<Value> inputs;
  for (const std::string &name : node.inputs) {
    if (name.empty() && !absent)
      absent = onnx::AbsentOp::create(builder, builder.getUnknownLoc(), builder.getNoneType());
    Value value = name.empty() ? absent : values.lookup(name);
    if (!value)
      return error(locationOf(node.label()), node) << "input '" << name << "' is not defined";
    inputs.push_back(value);
  }
  while (!inputs.empty() && inputs.back() == absent)
    inputs.pop_back();
  return inputs;
}

LogicalResult Importer::unsupported(Location location, const onnx::Node &node) {
  std::string names = supportedNames(node.domain), domain = node.domain.empty() ? "" : " of domain " + node.domain;
  return error(location, node) << "operator is not supported"
                               << (names.empty() ? ", nor are others" + domain
                                                 : "; supported" + domain + " are " + names);
}

/// A tensor, or numbers spelled as an attribute of their own.
FailureOr<Value> Importer::addConstant(const onnx::Node &node) {
  Location location = locationOf(node.label());
  if (node.outputs.empty())
    return error(location, node) << "a constant without an output";
  if (auto *value = node.get<onnx::Tensor>("value"))
    return tensors.add(*value, node.outputs[0]);
  auto make = [&](Type element, ArrayRef<int64_t> shape, auto elements) -> Value {
    return arith::ConstantOp::create(builder, location,
                                     DenseElementsAttr::get(RankedTensorType::get(shape, element), elements));
  };
  if (auto *value = node.get<int64_t>("value_int"))
    return make(builder.getI64Type(), {}, ArrayRef(*value));
  if (auto *value = node.get<float>("value_float"))
    return make(builder.getF32Type(), {}, ArrayRef(*value));
  if (auto *values = node.get<std::vector<int64_t>>("value_ints"))
    return make(builder.getI64Type(), static_cast<int64_t>(values->size()), ArrayRef(*values));
  if (auto *values = node.get<std::vector<float>>("value_floats"))
    return make(builder.getF32Type(), static_cast<int64_t>(values->size()), ArrayRef(*values));
  return error(location, node) << "only constants of numbers are supported";
}

LogicalResult Importer::addNode(const onnx::Node &node) {
  Location location = locationOf(node.label());
  int64_t opset = opsetOf(node);
  const SupportedOperator *row = supportedOperator(node.domain, node.opType);
  const bool isChecked = use == GraphUse::Decoder;
  if (isChecked && !row)
    return unsupported(location, node);
  if (isChecked && opset < row->since)
    return error(location, node) << "is supported from opset " << row->since << " on";
  if (node.domain.empty() && node.opType == "Constant") {
    FailureOr<Value> constant = addConstant(node);
    if (failed(constant))
      return failure();
    values[node.outputs[0]] = *constant;
    return success();
  }
  FailureOr<SmallVector<Value>> inputs = inputsOf(node);
  if (failed(inputs))
    return failure();
  for (int64_t i = 0; isChecked && i < row->inputs; ++i)
    if (i >= static_cast<int64_t>(inputs->size()) || (*inputs)[i] == absent)
      return error(location, node) << "needs " << row->inputs << " inputs, input " << i << " is missing";
  if (isChecked && static_cast<int64_t>(node.outputs.size()) < row->outputs)
    return error(location, node) << "has " << node.outputs.size() << " outputs, not " << row->outputs;
  SmallVector<NamedAttribute> parameters;
  for (const onnx::Attribute &attribute : node.attributes) {
    FailureOr<NamedAttribute> converted = convert(node, attribute);
    if (failed(converted))
      return failure();
    parameters.push_back(*converted);
  }
  // Types of results are inferred later; until then only that they are tensors is said.
  SmallVector<Type> results(node.outputs.size(), UnrankedTensorType::get(builder.getF32Type()));
  auto op = onnx::NodeOp::create(builder, location, results, builder.getStringAttr(node.opType),
                                 builder.getStringAttr(node.domain), builder.getI64IntegerAttr(opset),
                                 builder.getStringAttr(node.label()), builder.getDictionaryAttr(parameters), *inputs);
  for (auto [name, result] : llvm::zip(node.outputs, op.getOutputs()))
    if (!name.empty())
      values[name] = result;
  return success();
}

//===-- The function ----------------------------------------------------------------------------------------------===//

static ArrayAttr namesOf(Builder &builder, const onnx::ValueInfo &info) {
  SmallVector<Attribute> names;
  for (const onnx::Dimension &dimension : info.shape.value_or(std::vector<onnx::Dimension>())) {
    const int64_t *size = std::get_if<int64_t>(&dimension);
    names.push_back(builder.getStringAttr(size ? std::to_string(*size) : std::get<std::string>(dimension)));
  }
  return builder.getArrayAttr(names);
}

LogicalResult Importer::makeFunction() {
  SmallVector<Type> types;
  for (const onnx::ValueInfo &input : model.graph.inputs) {
    types.push_back(typeOf(input));
    if (!types.back())
      return emitError(locationOf(input.name))
             << source << ": input '" << input.name << "': type " << onnx::name(input.type) << " is not supported";
  }
  builder.setInsertionPointToEnd(module.getBody());
  function = func::FuncOp::create(builder, locationOf(source), "graph", builder.getFunctionType(types, {}));
  symbols.insert(function);
  Block *body = function.addEntryBlock();
  for (auto [i, input] : llvm::enumerate(model.graph.inputs)) {
    function.setArgAttr(i, "onnx.name", builder.getStringAttr(input.name));
    function.setArgAttr(i, "onnx.dimensions", namesOf(builder, input));
    body->getArgument(i).setLoc(locationOf(input.name));
    values[input.name] = body->getArgument(i);
  }
  builder.setInsertionPointToEnd(body);
  return success();
}

LogicalResult Importer::addInitializers() {
  for (const onnx::Tensor &tensor : model.graph.initializers) {
    FailureOr<Value> value = tensors.add(tensor, tensor.name);
    if (failed(value))
      return failure();
    values[tensor.name] = *value;
  }
  return success();
}

LogicalResult Importer::addReturn() {
  SmallVector<Value> outputs;
  for (const onnx::ValueInfo &output : model.graph.outputs) {
    Value value = values.lookup(output.name);
    if (!value)
      return emitError(locationOf(output.name)) << source << ": output '" << output.name << "' is not defined";
    if (isa<lowbit::WeightType>(value.getType()))
      return emitError(locationOf(output.name)) << source << ": output '" << output.name << "' is a weight";
    outputs.push_back(value);
  }
  func::ReturnOp::create(builder, builder.getUnknownLoc(), outputs);
  function.setFunctionType(builder.getFunctionType(function.getArgumentTypes(), ValueRange(outputs).getTypes()));
  for (auto [i, output] : llvm::enumerate(model.graph.outputs))
    function.setResultAttr(i, "onnx.name", builder.getStringAttr(output.name));
  return success();
}

LogicalResult Importer::run() {
  module->setAttr("halftone.source", builder.getStringAttr(source));
  if (failed(makeFunction()) || failed(addInitializers()))
    return failure();
  for (const onnx::Node &node : model.graph.nodes)
    if (failed(addNode(node)))
      return failure();
  return addReturn();
}

LogicalResult halftone::importer::importGraph(ModuleOp module, const onnx::Model &model, int64_t context,
                                              GraphUse use) {
  if (failed(Importer(module, model, use).run()))
    return failure();
  if (context <= 0 && use == GraphUse::Decoder) {
    Expected<std::optional<int64_t>> stated = statedContext(model);
    if (!stated)
      return emitError(module.getLoc()) << stated.error().message;
    context = stated->value_or(0);
  }
  if (context > 0)
    module->setAttr(facts::context, Builder(module.getContext()).getI64IntegerAttr(context));
  return verify(module);
}
