// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An ONNX model as plain structs, checked on reading; weights stay in their files. Whoever includes this
// sees no protobuf.
#pragma once

#include "lib/io/MappedFile.h"
#include "lib/onnx/ElementType.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace halftone::onnx {

/// Where a tensor's bytes lie: raw, little endian, row major.
struct Location {
  uint32_t file = 0; ///< index into Model::files; 0 is the model itself
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

/// A constant of the graph. Its size in bytes is checked against type and shape.
struct Tensor {
  std::string name; ///< empty in an attribute
  ElementType type = ElementType::undefined;
  std::vector<int64_t> shape;
  /// Nothing when the file holds the elements in another form than raw bytes (varints, strings); then `bytes` has them.
  std::optional<Location> location;
  /// The elements as they would lie in a file: for tensors up to ReadOptions::inlineLimit, and for those without
  /// location. TensorData.h reads both the same way.
  std::string bytes;
  std::vector<std::string> strings; ///< the elements of a tensor of strings
};

/// A size, or the name of one known only when the model runs ("" when the file does not even name it).
using Dimension = std::variant<int64_t, std::string>;

/// An input or output of a graph.
struct ValueInfo {
  std::string name;
  ElementType type = ElementType::undefined;   ///< undefined only inside subgraphs
  std::optional<std::vector<Dimension>> shape; ///< nothing when not even the rank is known
};

struct Graph;
using AttributeValue = std::variant<int64_t, float, std::string, Tensor, std::vector<int64_t>, std::vector<float>,
                                    std::vector<std::string>, std::unique_ptr<Graph>>;

struct Attribute {
  std::string name;
  AttributeValue value;
};

/// One operator call. Values are named; an empty name is an optional input or output left out.
struct Node {
  std::string name;
  std::string opType;
  std::string domain; ///< "" is ONNX's own, also where the file says "ai.onnx"
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<Attribute> attributes;
  /// Where it stands among the nodes of its graph in the file.
  size_t position = 0;

  /// The attribute's value, or null when there is none of that name; `get<int64_t>("axis")` also when it has another
  /// type.
  const AttributeValue *attribute(std::string_view name) const;
  template <class T> const T *get(std::string_view name) const {
    const AttributeValue *value = attribute(name);
    return value ? std::get_if<T>(value) : nullptr;
  }

  /// The node's name, or its first output's: how errors call it.
  const std::string &label() const;
};

/// Nodes stand in an order in which every value is defined before its use. Each name is defined once; subgraphs also
/// see the names of the graphs around them.
struct Graph {
  std::string name;
  std::vector<Node> nodes;
  std::vector<ValueInfo> inputs; ///< without those an initializer gives a default: they are constants here
  std::vector<ValueInfo> outputs;
  std::vector<Tensor> initializers;
};

struct Model {
  std::string path; ///< as given to readModel
  int64_t irVersion = 0;
  std::string producer; ///< "pytorch 2.1.0"
  std::map<std::string, int64_t> opsets;
  std::map<std::string, std::string> metadata;
  /// Names of the operators that the model defines itself.
  std::vector<std::string> functions;
  Graph graph;
  /// The model file, then the files of external data, mapped for as long as someone holds them.
  std::vector<std::shared_ptr<const io::MappedFile>> files;

  /// "stories.onnx: node 'model/layers.3/MatMul' (MatMul, opset 17)": the start of every error about a node.
  std::string describe(const Node &node) const;
};

struct ReadOptions {
  /// A folder outside the model's own where external data may lie too; empty for none.
  std::string externalDataRoot;
  /// Tensors up to this many bytes are also copied into Tensor::bytes.
  uint64_t inlineLimit = 1024;
  /// Takes what it does not know for whoever only passes it on: operators of any domain, functions of the model's own,
  /// inputs that are no tensors, sparse initializers, of which only the name is read, and attributes of rare types,
  /// which are left out.
  bool isLenient = false;
};

/// Reads and checks an ONNX model: versions, names, order, sizes, external data. Weights are not read, only found.
/// Every error starts with the file, and names the node, tensor or byte offset.
Expected<Model> readModel(std::string path, const ReadOptions &options = {});

} // namespace halftone::onnx
