// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names are looked up from the inside out.
#include "lib/onnx/edit/Values.h"

namespace halftone::onnx {

struct Values::Scope {
  const Scope *outer;
  std::unordered_map<std::string_view, Value *> &values;

  Value *find(std::string_view name) const {
    const auto found = values.find(name);
    return found != values.end() ? found->second : outer ? outer->find(name) : nullptr;
  }
};

Values::Values(const Model &model) { addGraph(model.graph, nullptr); }

Value &Values::define(const Graph &graph, std::string_view name, Scope &scope) {
  Value &value = *list.emplace_back(std::make_unique<Value>(Value{.graph = &graph, .name = name}));
  names.insert(name);
  scope.values[name] = &value;
  return value;
}

void Values::addReader(const Scope &scope, std::string_view name, Reader reader) {
  Value *value = name.empty() ? nullptr : scope.find(name);
  if (value)
    value->readers.push_back(reader);
  if (reader.node)
    inputs[reader.node].push_back(value);
}

void Values::addGraph(const Graph &graph, const Scope *outer) {
  Scope scope = {outer, byGraph[&graph]};
  for (const Tensor &tensor : graph.initializers)
    define(graph, tensor.name, scope).initializer = &tensor;
  for (const ValueInfo &input : graph.inputs)
    define(graph, input.name, scope);
  for (const Node &node : graph.nodes)
    for (const std::string &output : node.outputs)
      if (!output.empty())
        define(graph, output, scope).node = &node;
  for (const Node &node : graph.nodes) {
    for (size_t input = 0; input < node.inputs.size(); ++input)
      addReader(scope, node.inputs[input], {&graph, &node, input});
    for (const Attribute &attribute : node.attributes)
      if (const auto *inner = std::get_if<std::unique_ptr<Graph>>(&attribute.value))
        addGraph(**inner, &scope);
  }
  for (size_t output = 0; output < graph.outputs.size(); ++output)
    addReader(scope, graph.outputs[output].name, {&graph, nullptr, output});
}

const Value *Values::read(const Node &node, size_t input) const {
  const auto found = inputs.find(&node);
  return found != inputs.end() && input < found->second.size() ? found->second[input] : nullptr;
}

const Value *Values::defined(const Graph &graph, std::string_view name) const {
  const auto &values = byGraph.at(&graph);
  const auto found = values.find(name);
  return found == values.end() ? nullptr : found->second;
}

} // namespace halftone::onnx
