// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From protobuf's classes to ours, with every check that needs no other node.
#include "lib/onnx/CheckGraph.h"
#include "lib/onnx/CheckVersions.h"
#include "lib/onnx/ReadTensor.h"

#include <algorithm>
#include <climits>
#include <set>

namespace halftone::onnx {

namespace {

using ::onnx::AttributeProto;

/// Operators that the model itself defines, as (domain, name).
using Functions = std::set<std::pair<std::string, std::string>>;

class GraphReader {
public:
  GraphReader(const Model &model, const TensorSources &sources, const Functions &functions, bool isLenient)
      : model(model), sources(sources), functions(functions), isLenient(isLenient) {}

  /// \param where how errors about the graph as a whole begin.
  Expected<Graph> read(const ::onnx::GraphProto &proto, const std::string &where);

private:
  Status readInitializers(const ::onnx::GraphProto &proto, const std::string &where, Graph &graph);
  Expected<Node> readNode(const ::onnx::NodeProto &proto);
  Status checkOperator(const Node &node) const;
  Expected<Attribute> readAttribute(const AttributeProto &proto, const std::string &where);

  const Model &model;
  const TensorSources &sources;
  const Functions &functions;
  bool isLenient;
};

} // namespace

static Dimension readDimension(const ::onnx::TensorShapeProto::Dimension &proto) {
  // Some exporters write -1 where a size is not known.
  if (proto.has_dim_value() && proto.dim_value() >= 0)
    return proto.dim_value();
  return proto.dim_param();
}

static ValueInfo readValue(const ::onnx::ValueInfoProto &proto) {
  ValueInfo value{proto.name(), ElementType::undefined, std::nullopt};
  const ::onnx::TypeProto::Tensor &tensor = proto.type().tensor_type();
  value.type = elementType(tensor.elem_type()).value_or(ElementType::undefined);
  if (!tensor.has_shape())
    return value;
  value.shape.emplace();
  for (const ::onnx::TensorShapeProto::Dimension &dimension : tensor.shape().dim())
    value.shape->push_back(readDimension(dimension));
  return value;
}

Status GraphReader::readInitializers(const ::onnx::GraphProto &proto, const std::string &where, Graph &graph) {
  for (const ::onnx::SparseTensorProto &sparse : proto.sparse_initializer()) {
    if (!isLenient)
      return Error{where + ": initializer '" + sparse.values().name() + "' is sparse, which is not supported"};
    graph.initializers.emplace_back().name = sparse.values().name();
  }
  for (const ::onnx::TensorProto &initializer : proto.initializer()) {
    Expected<Tensor> tensor = readTensor(initializer, sources, where + ": initializer '" + initializer.name() + "'");
    if (!tensor)
      return tensor.error();
    graph.initializers.push_back(std::move(*tensor));
  }
  return {};
}

Expected<Graph> GraphReader::read(const ::onnx::GraphProto &proto, const std::string &where) {
  Graph graph;
  graph.name = proto.name();
  if (Status read = readInitializers(proto, where, graph); !read)
    return read.error();
  std::set<std::string_view> constants;
  for (const Tensor &tensor : graph.initializers)
    constants.insert(tensor.name);
  for (const ::onnx::ValueInfoProto &input : proto.input())
    if (!constants.contains(input.name()))
      graph.inputs.push_back(readValue(input));
  for (const ::onnx::ValueInfoProto &output : proto.output())
    graph.outputs.push_back(readValue(output));
  for (const ::onnx::NodeProto &node : proto.node()) {
    Expected<Node> read = readNode(node);
    if (!read)
      return read.error();
    read->position = graph.nodes.size();
    graph.nodes.push_back(std::move(*read));
  }
  return graph;
}

Status GraphReader::checkOperator(const Node &node) const {
  if (node.opType.empty())
    return Error{model.describe(node) + ": the node names no operator"};
  if (isLenient)
    return {};
  if (functions.contains({node.domain, node.opType}))
    return Error{model.describe(node) + ": the operator is a function of the model's own, which is not supported"};
  return checkDomain(model, node);
}

/// Types of attributes that say nothing about which values a node reads.
static bool isRare(AttributeProto::AttributeType type) {
  return type == AttributeProto::SPARSE_TENSOR || type == AttributeProto::TENSORS ||
         type == AttributeProto::SPARSE_TENSORS || type == AttributeProto::TYPE_PROTO ||
         type == AttributeProto::TYPE_PROTOS;
}

Expected<Node> GraphReader::readNode(const ::onnx::NodeProto &proto) {
  Node node;
  node.name = proto.name();
  node.opType = proto.op_type();
  node.domain = canonicalDomain(proto.domain());
  node.inputs.assign(proto.input().begin(), proto.input().end());
  node.outputs.assign(proto.output().begin(), proto.output().end());
  if (Status checked = checkOperator(node); !checked)
    return checked.error();
  const std::string where = model.describe(node) + ": ";
  for (const AttributeProto &attribute : proto.attribute()) {
    if (node.attribute(attribute.name()))
      return Error{where + "attribute '" + attribute.name() + "' is there twice"};
    if (isLenient && isRare(attribute.type()))
      continue;
    Expected<Attribute> read = readAttribute(attribute, where + "attribute '" + attribute.name() + "'");
    if (!read)
      return read.error();
    node.attributes.push_back(std::move(*read));
  }
  return node;
}

Expected<Attribute> GraphReader::readAttribute(const AttributeProto &proto, const std::string &where) {
  const auto make = [&](auto value) { return Attribute{proto.name(), AttributeValue(std::move(value))}; };
  switch (proto.type()) {
  case AttributeProto::INT:
    return make(int64_t(proto.i()));
  case AttributeProto::FLOAT:
    return make(proto.f());
  case AttributeProto::STRING:
    return make(proto.s());
  case AttributeProto::INTS:
    return make(std::vector<int64_t>(proto.ints().begin(), proto.ints().end()));
  case AttributeProto::FLOATS:
    return make(std::vector<float>(proto.floats().begin(), proto.floats().end()));
  case AttributeProto::STRINGS:
    return make(std::vector<std::string>(proto.strings().begin(), proto.strings().end()));
  case AttributeProto::TENSOR: {
    Expected<Tensor> tensor = readTensor(proto.t(), sources, where);
    return tensor ? Expected<Attribute>(make(std::move(*tensor))) : tensor.error();
  }
  case AttributeProto::GRAPH: {
    Expected<Graph> graph = read(proto.g(), where);
    return graph ? Expected<Attribute>(make(std::make_unique<Graph>(std::move(*graph)))) : graph.error();
  }
  default:
    break;
  }
  if (proto.has_ref_attr_name())
    return Error{where + " refers to '" + proto.ref_attr_name() + "', which only a function may"};
  return Error{where + " has type " + std::to_string(proto.type()) + ", which is not supported"};
}

static Status readOpsets(const ::onnx::ModelProto &proto, Model &model) {
  for (const ::onnx::OperatorSetIdProto &opset : proto.opset_import()) {
    const std::string_view domain = canonicalDomain(opset.domain());
    const auto [known, fresh] = model.opsets.emplace(domain, opset.version());
    if (!fresh && known->second != opset.version())
      return Error{model.path + ": domain '" + (domain.empty() ? "ai.onnx" : std::string(domain)) +
                   "' is imported as opset " + std::to_string(known->second) + " and as opset " +
                   std::to_string(opset.version())};
  }
  return {};
}

/// Everything around the graph.
static Status readHeader(const ::onnx::ModelProto &proto, Model &model) {
  model.irVersion = proto.ir_version();
  model.producer = proto.producer_name() + (proto.producer_version().empty() ? "" : " " + proto.producer_version());
  for (const ::onnx::StringStringEntryProto &entry : proto.metadata_props())
    model.metadata[entry.key()] = entry.value();
  for (const ::onnx::FunctionProto &function : proto.functions())
    model.functions.push_back(function.name());
  if (Status read = readOpsets(proto, model); !read)
    return read;
  if (Status checked = checkVersions(model); !checked)
    return checked;
  if (!proto.has_graph())
    return Error{model.path + ": the model has no graph"};
  return {};
}

/// The inputs of the whole model must be tensors; a subgraph's take their types from its node.
static Status checkInputTypes(const Model &model) {
  for (const ValueInfo &input : model.graph.inputs)
    if (input.type == ElementType::undefined)
      return Error{model.path + ": input '" + input.name + "' is no tensor of a known element type"};
  return {};
}

static Status readGraph(const ::onnx::ModelProto &proto, const WeightIndex &index, const ReadOptions &options,
                        Model &model) {
  Functions functions;
  for (const ::onnx::FunctionProto &function : proto.functions())
    functions.emplace(canonicalDomain(function.domain()), function.name());
  ExternalData external(model.path, options.externalDataRoot, model.files);
  const TensorSources sources = {index, external, model.files, options.inlineLimit};
  Expected<Graph> graph = GraphReader(model, sources, functions, options.isLenient).read(proto.graph(), model.path);
  if (!graph)
    return graph.error();
  model.graph = std::move(*graph);
  if (Status checked = options.isLenient ? Status() : checkInputTypes(model); !checked)
    return checked;
  return checkGraph(model);
}

static Status parse(const std::string &path, const std::string &bytes, ::onnx::ModelProto &proto) {
  if (bytes.size() > INT_MAX)
    return Error{path + ": the model has " + std::to_string(bytes.size()) + " bytes beside its weights, at most " +
                 std::to_string(INT_MAX) + " are supported"};
  if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return Error{path + ": damaged, or no ONNX model: a packed list of numbers ends inside a number"};
  return {};
}

Expected<Model> readModel(std::string path, const ReadOptions &options) {
  Expected<io::MappedFile> file = io::MappedFile::open(path);
  if (!file)
    return file.error();
  Expected<WeightIndex> index = indexWeights(*file, options.inlineLimit);
  if (!index)
    return index.error();
  ::onnx::ModelProto proto;
  if (Status parsed = parse(path, index->stripped, proto); !parsed)
    return parsed.error();
  Model model;
  model.path = std::move(path);
  model.files.push_back(std::make_shared<const io::MappedFile>(std::move(*file)));
  if (Status read = readHeader(proto, model); !read)
    return read.error();
  if (Status read = readGraph(proto, *index, options, model); !read)
    return read.error();
  return model;
}

} // namespace halftone::onnx
