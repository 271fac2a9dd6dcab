// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One walk over the wire format, in step with the graph that was read from it.
#include "lib/onnx/edit/PatchModel.h"

#include "lib/onnx/CheckVersions.h"
#include "lib/onnx/WireReader.h"

#include <algorithm>

namespace halftone::onnx {

using wire::Piece;
using wire::Range;

/// The fields of message `outer`'s field `number`.
static const wire::Message &inside(const wire::Message &outer, uint32_t number) {
  return *wire::findField(outer, number)->message;
}

static io::Rope fieldOf(uint32_t number, const io::Rope &value) {
  std::string header;
  wire::appendHeader(header, number, value.size());
  io::Rope rope(std::move(header));
  rope.append(value);
  return rope;
}

static std::string fieldOf(uint32_t number, const google::protobuf::MessageLite &message) {
  std::string bytes;
  wire::appendBytes(bytes, number, message.SerializeAsString());
  return bytes;
}

/// A TensorProto: what `header` says of it, and its elements inside or in the external file.
static io::Rope tensorMessage(std::string header, const io::Rope &content, ExternalFile *external) {
  ::onnx::TensorProto place;
  if (external && content.size() > externalLimit) {
    const uint64_t offset = external->add(content);
    for (const auto &[key, text] : {std::pair<const char *, std::string>{"location", external->location()},
                                    {"offset", std::to_string(offset)},
                                    {"length", std::to_string(content.size())}}) {
      ::onnx::StringStringEntryProto &entry = *place.add_external_data();
      entry.set_key(key);
      entry.set_value(text);
    }
    place.set_data_location(::onnx::TensorProto::EXTERNAL);
    return io::Rope(header + place.SerializeAsString());
  }
  io::Rope rope(std::move(header));
  rope.append(fieldOf(wire::tensorField::rawData, content));
  return rope;
}

static io::Rope tensorMessage(const NewTensor &tensor, ExternalFile *external) {
  ::onnx::TensorProto header;
  header.set_name(tensor.name);
  header.set_data_type(static_cast<int32_t>(tensor.type));
  for (const int64_t size : tensor.shape)
    header.add_dims(size);
  return tensorMessage(header.SerializeAsString(), tensor.content, external);
}

namespace {

class Patcher {
public:
  Patcher(const Model &model, const ModelEdits &edits, ExternalFile *external)
      : model(model), edits(edits), external(external), file(model.files.front()), reader(*file) {}

  Expected<io::Rope> modelMessage();

private:
  using PieceVisitor = std::function<Status(const Piece &piece)>;

  Status visit(const wire::Message &message, Range range, const PieceVisitor &visitor) const;
  io::Rope copy(const Piece &piece) const;
  Expected<io::Rope> graphMessage(const Graph &graph, const wire::Message &message, Range range);
  Expected<io::Rope> nodeField(const Graph &graph, const GraphEdits &changes, const Node &node,
                               const wire::Message &message, const Piece &piece);
  Expected<io::Rope> nodeWithGraphs(const Node &node, const wire::Message &message, Range range);
  Expected<io::Rope> initializerField(const Graph &graph, const std::string &name, const Piece &piece);
  Expected<std::string> opsetField(const Piece &piece, std::map<std::string, int64_t> &missing) const;
  Expected<std::string> nameOf(const wire::Message &message, uint32_t number, Range range) const;

  const Model &model;
  const ModelEdits &edits;
  ExternalFile *external;
  std::shared_ptr<const io::MappedFile> file;
  wire::Reader reader;
};

} // namespace

Status Patcher::visit(const wire::Message &message, Range range, const PieceVisitor &visitor) const {
  while (range.size() > 0) {
    const Expected<Piece> piece = reader.next(message, range);
    if (!piece)
      return piece.error();
    if (Status visited = visitor(*piece); !visited)
      return visited;
  }
  return {};
}

io::Rope Patcher::copy(const Piece &piece) const {
  io::Rope rope;
  rope.append(file, piece.tag, piece.value.end - piece.tag);
  return rope;
}

/// The text in field `number` of a message.
Expected<std::string> Patcher::nameOf(const wire::Message &message, uint32_t number, Range range) const {
  std::string name;
  const Status visited = visit(message, range, [&](const Piece &piece) -> Status {
    if (piece.number == number)
      name = reader.text(piece.value);
    return {};
  });
  return visited ? Expected<std::string>(name) : visited.error();
}

//===-- Nodes -----------------------------------------------------------------------------------------------------===//

static std::vector<const Graph *> graphsOf(const Node &node) {
  std::vector<const Graph *> graphs;
  for (const Attribute &attribute : node.attributes)
    if (const auto *graph = std::get_if<std::unique_ptr<Graph>>(&attribute.value))
      graphs.push_back(graph->get());
  return graphs;
}

/// A node whose graphs may change: the n-th attribute that holds one is the n-th graph that was read.
Expected<io::Rope> Patcher::nodeWithGraphs(const Node &node, const wire::Message &message, Range range) {
  const std::vector<const Graph *> graphs = graphsOf(node);
  const wire::Message &attribute = inside(message, wire::nodeField::attribute);
  const wire::Message &graph = inside(attribute, wire::attributeField::graph);
  size_t next = 0;
  io::Rope rope;
  const Status visited = visit(message, range, [&](const Piece &piece) -> Status {
    if (piece.number != wire::nodeField::attribute) {
      rope.append(copy(piece));
      return {};
    }
    io::Rope content;
    const Status inner = visit(attribute, piece.value, [&](const Piece &part) -> Status {
      if (part.number != wire::attributeField::graph || next == graphs.size()) {
        content.append(copy(part));
        return {};
      }
      Expected<io::Rope> patched = graphMessage(*graphs[next++], graph, part.value);
      if (!patched)
        return patched.error();
      content.append(fieldOf(part.number, *patched));
      return {};
    });
    rope.append(fieldOf(piece.number, content));
    return inner;
  });
  return visited ? Expected<io::Rope>(rope) : visited.error();
}

Expected<io::Rope> Patcher::nodeField(const Graph &graph, const GraphEdits &changes, const Node &node,
                                      const wire::Message &message, const Piece &piece) {
  const auto rewrite = changes.nodes.find(node.position);
  if (rewrite == changes.nodes.end()) {
    if (graphsOf(node).empty())
      return copy(piece);
    Expected<io::Rope> patched = nodeWithGraphs(node, message, piece.value);
    return patched ? Expected<io::Rope>(fieldOf(piece.number, *patched)) : patched.error();
  }
  ::onnx::NodeProto proto;
  if (!proto.ParseFromString(std::string(reader.text(piece.value))))
    return reader.damagedAt(piece.tag, "no node can be read");
  std::string bytes;
  for (const ::onnx::NodeProto &next : rewrite->second(std::move(proto)))
    bytes += fieldOf(piece.number, next);
  return io::Rope(std::move(bytes));
}

//===-- Graphs ----------------------------------------------------------------------------------------------------===//

/// The fields of a TensorProto that say where its elements are.
static bool saysPlace(uint32_t number) {
  using namespace wire::tensorField;
  return number == floatData || number == rawData || number == doubleData || number == externalData ||
         number == dataLocation;
}

/// An initializer that stays: as it is, or with its elements in the external file.
Expected<io::Rope> Patcher::initializerField(const Graph &graph, const std::string &name, const Piece &piece) {
  const auto tensor = std::ranges::find(graph.initializers, name, &Tensor::name);
  if (!external || tensor == graph.initializers.end() || !tensor->location ||
      (tensor->location->file == 0 && tensor->location->bytes <= externalLimit))
    return copy(piece);
  std::string header;
  const Status visited = visit(wire::tensor, piece.value, [&](const Piece &part) -> Status {
    if (!saysPlace(part.number))
      header += reader.text({part.tag, part.value.end});
    return {};
  });
  if (!visited)
    return visited.error();
  io::Rope content;
  content.append(model.files[tensor->location->file], tensor->location->offset, tensor->location->bytes);
  return fieldOf(piece.number, tensorMessage(std::move(header), content, external));
}

static bool isInitializer(const Graph &graph, const std::string &name) {
  return std::ranges::find(graph.initializers, name, &Tensor::name) != graph.initializers.end();
}

Expected<io::Rope> Patcher::graphMessage(const Graph &graph, const wire::Message &message, Range range) {
  static const GraphEdits none;
  const auto found = edits.graphs.find(&graph);
  const GraphEdits &changes = found == edits.graphs.end() ? none : found->second;
  std::vector<const Node *> nodes(graph.nodes.size());
  for (const Node &node : graph.nodes)
    nodes[node.position] = &node;
  io::Rope rope;
  for (const NewTensor &tensor : changes.initializers)
    rope.append(fieldOf(wire::graphField::initializer, tensorMessage(tensor, external)));
  for (const ::onnx::NodeProto &node : changes.front)
    rope.append(fieldOf(wire::graphField::node, node));
  size_t position = 0;
  const auto patchPiece = [&](const Piece &piece) -> Expected<io::Rope> {
    using namespace wire::graphField;
    if (piece.number == node)
      return nodeField(graph, changes, *nodes[position++], inside(message, node), piece);
    if (piece.number != initializer && piece.number != input && piece.number != valueInfo)
      return copy(piece);
    Expected<std::string> name = piece.number == initializer
                                     ? nameOf(wire::tensor, wire::tensorField::name, piece.value)
                                     : nameOf(inside(message, input), wire::valueField::name, piece.value);
    if (!name)
      return name.error();
    if (changes.removed.contains(*name) || (piece.number == input && edits.endsDefaults && isInitializer(graph, *name)))
      return io::Rope();
    return piece.number == initializer ? initializerField(graph, *name, piece) : copy(piece);
  };
  const Status visited = visit(message, range, [&](const Piece &piece) -> Status {
    Expected<io::Rope> patched = patchPiece(piece);
    if (!patched)
      return patched.error();
    rope.append(*patched);
    return {};
  });
  return visited ? Expected<io::Rope>(rope) : visited.error();
}

//===-- The model -------------------------------------------------------------------------------------------------===//

/// An imported operator set, in the version that the edits want; `missing` loses its domain.
Expected<std::string> Patcher::opsetField(const Piece &piece, std::map<std::string, int64_t> &missing) const {
  ::onnx::OperatorSetIdProto opset;
  if (!opset.ParseFromString(std::string(reader.text(piece.value))))
    return reader.damagedAt(piece.tag, "no operator set can be read");
  const std::string domain(canonicalDomain(opset.domain()));
  if (const auto changed = edits.opsets.find(domain); changed != edits.opsets.end())
    opset.set_version(changed->second);
  missing.erase(domain);
  return fieldOf(piece.number, opset);
}

Expected<io::Rope> Patcher::modelMessage() {
  std::map<std::string, int64_t> missing = edits.opsets;
  io::Rope rope;
  const Status visited = visit(wire::model, {0, file->size()}, [&](const Piece &piece) -> Status {
    if (piece.number == wire::modelField::graph) {
      Expected<io::Rope> graph = graphMessage(model.graph, inside(wire::model, piece.number), piece.value);
      if (!graph)
        return graph.error();
      rope.append(fieldOf(piece.number, *graph));
    } else if (piece.number == wire::modelField::opsetImport) {
      Expected<std::string> opset = opsetField(piece, missing);
      if (!opset)
        return opset.error();
      rope.append(std::move(*opset));
    } else if (piece.number != wire::modelField::irVersion || edits.irVersion == 0) {
      rope.append(copy(piece));
    }
    return {};
  });
  if (!visited)
    return visited.error();
  ::onnx::ModelProto added;
  if (edits.irVersion != 0)
    added.set_ir_version(edits.irVersion);
  for (const auto &[domain, version] : missing) {
    ::onnx::OperatorSetIdProto &opset = *added.add_opset_import();
    opset.set_domain(domain);
    opset.set_version(version);
  }
  io::Rope whole(added.SerializeAsString());
  whole.append(rope);
  return whole;
}

Expected<io::Rope> patchModel(const Model &model, const ModelEdits &edits, ExternalFile *external) {
  return Patcher(model, edits, external).modelMessage();
}

} // namespace halftone::onnx
