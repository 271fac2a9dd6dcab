// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A graph's names in a table, then Kahn's algorithm [1962] with the file's order deciding among nodes
// that are ready.
#include "lib/onnx/CheckGraph.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <unordered_map>

namespace halftone::onnx {

namespace {

constexpr size_t notANode = SIZE_MAX;

/// Who defines the names of one graph, and the graph around it.
struct Scope {
  const Scope *outer;
  std::unordered_map<std::string_view, size_t> definitions = {}; ///< a node's index, or notANode

  bool sees(std::string_view name) const { return definitions.contains(name) || (outer && outer->sees(name)); }
};

class GraphChecker {
public:
  /// \param where how errors about the graph as a whole begin.
  GraphChecker(const Model &model, Graph &graph, const Scope *outer, std::string where)
      : model(model), graph(graph), scope{outer}, where(std::move(where)) {}

  Status check();

private:
  Status define();
  Status defineOutside(std::string_view name, const char *what);
  Status defineOutput(size_t node, const std::string &name);
  Status checkUses() const;
  Status checkOutputs() const;
  Status sort();
  Status checkSubgraphs() const;
  void findDependencies();
  void addDependency(size_t node, std::string_view name);
  void addCaptures(size_t node, const Graph &subgraph, const Scope *hidden);
  Error describeCycle(const std::vector<size_t> &missing) const;

  const Model &model;
  Graph &graph;
  Scope scope;
  std::string where;
  std::vector<std::vector<size_t>> reads; ///< for each node the nodes whose outputs it reads
};

} // namespace

static std::vector<Graph *> subgraphsOf(const Node &node) {
  std::vector<Graph *> graphs;
  for (const Attribute &attribute : node.attributes)
    if (const auto *graph = std::get_if<std::unique_ptr<Graph>>(&attribute.value))
      graphs.push_back(graph->get());
  return graphs;
}

Status GraphChecker::defineOutside(std::string_view name, const char *what) {
  if (name.empty())
    return Error{where + ": " + what + " without a name"};
  if (!scope.definitions.emplace(name, notANode).second)
    return Error{where + ": " + what + " '" + std::string(name) + "' is defined twice"};
  return {};
}

Status GraphChecker::defineOutput(size_t node, const std::string &name) {
  const auto [known, fresh] = scope.definitions.emplace(name, node);
  if (fresh)
    return {};
  return Error{
      model.describe(graph.nodes[node]) + ": output '" + name + "' is already defined by " +
      (known->second == notANode ? "an input or initializer" : "node '" + graph.nodes[known->second].label() + "'")};
}

Status GraphChecker::define() {
  for (const Tensor &tensor : graph.initializers)
    if (Status defined = defineOutside(tensor.name, "initializer"); !defined)
      return defined;
  for (const ValueInfo &input : graph.inputs)
    if (Status defined = defineOutside(input.name, "input"); !defined)
      return defined;
  for (size_t node = 0; node < graph.nodes.size(); ++node)
    for (const std::string &output : graph.nodes[node].outputs)
      if (!output.empty())
        if (Status defined = defineOutput(node, output); !defined)
          return defined;
  return {};
}

Status GraphChecker::checkUses() const {
  for (const Node &node : graph.nodes)
    for (const std::string &input : node.inputs)
      if (!input.empty() && !scope.sees(input))
        return Error{model.describe(node) + ": input '" + input + "' is not defined"};
  return {};
}

Status GraphChecker::checkOutputs() const {
  if (graph.outputs.empty())
    return Error{where + ": the graph has no outputs"};
  for (const ValueInfo &output : graph.outputs)
    if (!scope.sees(output.name))
      return Error{where + ": output '" + output.name + "' is not defined"};
  return {};
}

void GraphChecker::addDependency(size_t node, std::string_view name) {
  const auto definition = scope.definitions.find(name);
  if (definition != scope.definitions.end() && definition->second != notANode)
    reads[node].push_back(definition->second);
}

/// A node also reads what its subgraphs take from this graph; `hidden` are names that graphs in between define
/// themselves.
void GraphChecker::addCaptures(size_t node, const Graph &subgraph, const Scope *hidden) {
  Scope inside = {hidden};
  for (const Tensor &tensor : subgraph.initializers)
    inside.definitions.emplace(tensor.name, notANode);
  for (const ValueInfo &input : subgraph.inputs)
    inside.definitions.emplace(input.name, notANode);
  for (const Node &inner : subgraph.nodes)
    for (const std::string &output : inner.outputs)
      inside.definitions.emplace(output, notANode);
  const auto capture = [&](std::string_view name) {
    if (!inside.sees(name))
      addDependency(node, name);
  };
  for (const ValueInfo &output : subgraph.outputs)
    capture(output.name);
  for (const Node &inner : subgraph.nodes) {
    for (const std::string &input : inner.inputs)
      capture(input);
    for (const Graph *nested : subgraphsOf(inner))
      addCaptures(node, *nested, &inside);
  }
}

void GraphChecker::findDependencies() {
  reads.resize(graph.nodes.size());
  for (size_t node = 0; node < graph.nodes.size(); ++node) {
    for (const std::string &input : graph.nodes[node].inputs)
      addDependency(node, input);
    for (const Graph *subgraph : subgraphsOf(graph.nodes[node]))
      addCaptures(node, *subgraph, nullptr);
    std::ranges::sort(reads[node]);
    reads[node].erase(std::ranges::unique(reads[node]).begin(), reads[node].end());
  }
}

/// \param missing for each node how many of the nodes it reads are not in order yet; those with 0 are done.
Error GraphChecker::describeCycle(const std::vector<size_t> &missing) const {
  const auto stuck = [&](size_t node) { return missing[node] > 0; };
  size_t node = 0;
  while (!stuck(node))
    ++node;
  // Whoever is stuck reads someone stuck: going backwards must come to a node for the second time.
  std::vector<size_t> way;
  while (std::ranges::find(way, node) == way.end()) {
    way.push_back(node);
    node = *std::ranges::find_if(reads[node], stuck);
  }
  const auto first = std::ranges::find(way, node);
  std::string names = "'" + graph.nodes[node].label() + "'";
  constexpr ptrdiff_t shown = 6;
  if (way.end() - first > shown)
    names += " -> (" + std::to_string(way.end() - first - shown) + " more)";
  for (auto step = way.end(); step != first; --step)
    if (step - first <= shown)
      names += " -> '" + graph.nodes[*(step - 1)].label() + "'";
  return {model.describe(graph.nodes[node]) + ": the graph is cyclic: " + names};
}

Status GraphChecker::sort() {
  findDependencies();
  std::vector<size_t> missing(graph.nodes.size());
  std::vector<std::vector<size_t>> readers(graph.nodes.size());
  std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
  for (size_t node = 0; node < graph.nodes.size(); ++node) {
    missing[node] = reads[node].size();
    for (const size_t read : reads[node])
      readers[read].push_back(node);
    if (missing[node] == 0)
      ready.push(node);
  }
  std::vector<size_t> order;
  while (!ready.empty()) {
    order.push_back(ready.top());
    ready.pop();
    for (const size_t reader : readers[order.back()])
      if (--missing[reader] == 0)
        ready.push(reader);
  }
  if (order.size() < graph.nodes.size())
    return describeCycle(missing);
  std::vector<Node> sorted;
  for (const size_t node : order)
    sorted.push_back(std::move(graph.nodes[node]));
  graph.nodes = std::move(sorted);
  return {};
}

Status GraphChecker::checkSubgraphs() const {
  for (const Node &node : graph.nodes)
    for (Graph *subgraph : subgraphsOf(node))
      if (Status checked = GraphChecker(model, *subgraph, &scope, model.describe(node) + ": subgraph").check();
          !checked)
        return checked;
  return {};
}

Status GraphChecker::check() {
  if (Status defined = define(); !defined)
    return defined;
  if (Status checked = checkUses(); !checked)
    return checked;
  if (Status checked = checkOutputs(); !checked)
    return checked;
  if (Status checked = checkSubgraphs(); !checked)
    return checked;
  return sort();
}

Status checkGraph(Model &model) { return GraphChecker(model, model.graph, nullptr, model.path).check(); }

} // namespace halftone::onnx
