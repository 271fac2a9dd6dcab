// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Who defines each value of a model, and who reads it, across the graphs inside of nodes.
#pragma once

#include "lib/onnx/Model.h"

#include <memory>
#include <set>
#include <unordered_map>

namespace halftone::onnx {

struct Value;

/// One reading of a value.
struct Reader {
  const Graph *graph;
  const Node *node; ///< null: the graph gives it as an output
  size_t input;     ///< which of the node's inputs, or of the graph's outputs
};

/// A value of one graph. Names are unique in a graph only: graphs inside of nodes may use a name anew.
struct Value {
  const Graph *graph;
  std::string_view name;
  /// What defines it; both null for an input.
  const Node *node = nullptr;
  const Tensor *initializer = nullptr;
  std::vector<Reader> readers = {};
};

class Values {
public:
  /// \param model checked by readModel; must outlive this, and stay where it is.
  explicit Values(const Model &model);

  /// The value behind a node's input; null where it is left out.
  const Value *read(const Node &node, size_t input) const;
  /// A node's output; null where it is left out.
  const Value *defined(const Graph &graph, std::string_view name) const;

  /// All values, in the order of the graphs, what a graph's initializers are first.
  const std::vector<std::unique_ptr<Value>> &all() const { return list; }
  /// Whether some graph has a value of this name.
  bool hasName(std::string_view name) const { return names.contains(name); }

private:
  struct Scope;
  void addGraph(const Graph &graph, const Scope *outer);
  Value &define(const Graph &graph, std::string_view name, Scope &scope);
  void addReader(const Scope &scope, std::string_view name, Reader reader);

  std::vector<std::unique_ptr<Value>> list;
  std::set<std::string_view> names;
  std::unordered_map<const Graph *, std::unordered_map<std::string_view, Value *>> byGraph;
  std::unordered_map<const Node *, std::vector<const Value *>> inputs;
};

} // namespace halftone::onnx
