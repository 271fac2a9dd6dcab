// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table of what changed between versions 7 and 25. An operator that is not in it only got more types, attributes
// whose defaults are the old meaning, or inputs that may be left out. Source: onnx/docs/Changelog.md.
#include "lib/onnx/edit/RaiseOpset.h"

#include "lib/onnx/edit/MakeNode.h"

#include <algorithm>

namespace halftone::onnx {

using ::onnx::AttributeProto;
using ::onnx::NodeProto;

namespace {

/// A node on its way: what comes in front of it and behind it.
struct Conversion {
  NodeProto node;
  std::vector<NodeProto> before, after;
};

/// New names for a node's parts, the same however often it is rewritten.
using PartName = std::function<std::string(const std::string &part)>;

struct Change {
  std::string_view type;
  /// The first version with the new meaning.
  int64_t version;
  /// Why the node cannot be kept, or "".
  std::string (*refuses)(const Node &node);
  void (*convert)(Conversion &conversion, const PartName &nameOf);
};

} // namespace

//===-- Parameters that became inputs -----------------------------------------------------------------------------===//

/// Attributes `names` become inputs 1, 2, ..: those of int64 that the node has, "" for others.
static void attributesToInputs(Conversion &conversion, const PartName &nameOf,
                               std::initializer_list<const char *> names) {
  NodeProto &node = conversion.node;
  for (const char *name : names) {
    const AttributeProto *attribute = findAttribute(node, name);
    std::string input;
    if (attribute) {
      const std::vector<int64_t> values =
          attribute->type() == AttributeProto::INT
              ? std::vector<int64_t>{attribute->i()}
              : std::vector<int64_t>(attribute->ints().begin(), attribute->ints().end());
      input = nameOf(name);
      conversion.before.push_back(makeConstant(values, input));
      removeAttribute(node, name);
    }
    node.add_input(input);
  }
  while (node.input_size() > 1 && node.input(node.input_size() - 1).empty())
    node.mutable_input()->RemoveLast();
}

static void axes(Conversion &conversion, const PartName &nameOf) { attributesToInputs(conversion, nameOf, {"axes"}); }
static void splitSizes(Conversion &conversion, const PartName &nameOf) {
  attributesToInputs(conversion, nameOf, {"split"});
}
static void sliceBounds(Conversion &conversion, const PartName &nameOf) {
  attributesToInputs(conversion, nameOf, {"starts", "ends", "axes"});
}
static void topCount(Conversion &conversion, const PartName &nameOf) { attributesToInputs(conversion, nameOf, {"k"}); }

//===-- Others ----------------------------------------------------------------------------------------------------===//

/// From 18 on equal parts are asked for by their number.
static void splitCount(Conversion &conversion, const PartName &) {
  if (conversion.node.input_size() < 2)
    setAttribute(conversion.node, "num_outputs", conversion.node.output_size());
}

/// Up to 12 everything from `axis` (by default 1) on was one row; from 13 on only `axis` (by default the last) is.
static void softmax(Conversion &conversion, const PartName &nameOf) {
  NodeProto &node = conversion.node;
  const AttributeProto *attribute = findAttribute(node, "axis");
  const int64_t axis = attribute ? attribute->i() : 1;
  setAttribute(node, "axis", -1);
  if (axis == -1)
    return;
  const std::string input = node.input(0), output = node.output(0);
  const std::string shape = nameOf("shape"), rows = nameOf("rows"), result = nameOf("result");
  NodeProto flatten = makeNode("Flatten", {input}, rows, rows);
  setAttribute(flatten, "axis", axis);
  conversion.before = {makeNode("Shape", {input}, shape, shape), flatten};
  node.set_input(0, rows);
  node.set_output(0, result);
  conversion.after = {makeNode("Reshape", {result, shape}, output, result + ".reshape")};
}

/// Outside of training the ratio means nothing.
static void dropRatio(Conversion &conversion, const PartName &) { removeAttribute(conversion.node, "ratio"); }

static void dropSpatial(Conversion &conversion, const PartName &) { removeAttribute(conversion.node, "spatial"); }

static void keep(Conversion &, const PartName &) {}

static std::string never(const Node &) { return ""; }
static std::string always(const Node &) { return "its meaning changed"; }
static std::string ifSeveralOutputs(const Node &node) {
  return node.outputs.size() > 1 ? "its meaning changed for several outputs" : "";
}
static std::string ifNotSpatial(const Node &node) {
  const auto *spatial = node.get<int64_t>("spatial");
  return spatial && *spatial == 0 ? "it can no longer have spatial = 0" : "";
}
static std::string ifClipped(const Node &node) {
  return node.attributes.empty() ? "" : "its bounds became inputs of the type of its data";
}

static constexpr Change changes[] = {
    {"Upsample", 9, always, keep},
    {"Scan", 9, always, keep},
    {"BatchNormalization", 9, ifNotSpatial, dropSpatial},
    {"Slice", 10, never, sliceBounds},
    {"TopK", 10, never, topCount},
    {"Upsample", 10, always, keep},
    {"Clip", 11, ifClipped, keep},
    {"Pad", 11, always, keep},
    {"Resize", 11, always, keep},
    {"Scatter", 11, always, keep},
    {"Dropout", 12, ifSeveralOutputs, dropRatio},
    {"Squeeze", 13, never, axes},
    {"Unsqueeze", 13, never, axes},
    {"ReduceSum", 13, never, axes},
    {"Split", 13, never, splitSizes},
    {"Softmax", 13, never, softmax},
    {"LogSoftmax", 13, never, softmax},
    {"Hardmax", 13, never, softmax},
    {"BatchNormalization", 14, ifSeveralOutputs, keep},
    {"RoiAlign", 16, always, keep},
    {"ReduceL1", 18, never, axes},
    {"ReduceL2", 18, never, axes},
    {"ReduceLogSum", 18, never, axes},
    {"ReduceLogSumExp", 18, never, axes},
    {"ReduceMax", 18, never, axes},
    {"ReduceMean", 18, never, axes},
    {"ReduceMin", 18, never, axes},
    {"ReduceProd", 18, never, axes},
    {"ReduceSumSquare", 18, never, axes},
    {"Split", 18, never, splitCount},
    {"DFT", 20, always, keep},
    {"GridSample", 20, always, keep},
    {"GroupNormalization", 21, always, keep},
    {"Attention", 24, always, keep},
};

/// IR versions by the operator set that they came with. Source: onnx/docs/Versioning.md.
static constexpr struct {
  int64_t opset, irVersion;
} irVersions[] = {{25, 13}, {24, 12}, {23, 11}, {21, 10}, {19, 9}, {15, 8}, {12, 7}, {11, 6}, {10, 5}, {9, 4}, {0, 3}};

//===-- The model -------------------------------------------------------------------------------------------------===//

static std::vector<const Change *> changesOf(const Node &node, int64_t from, int64_t to) {
  std::vector<const Change *> found;
  for (const Change &change : changes)
    if (node.domain.empty() && change.type == node.opType && from < change.version && change.version <= to)
      found.push_back(&change);
  return found;
}

static NodeRewrite rewriteBy(std::vector<const Change *> found, std::map<std::string, std::string> names) {
  return [found = std::move(found), names = std::move(names)](NodeProto node) {
    Conversion conversion = {std::move(node), {}, {}};
    for (const Change *change : found)
      change->convert(conversion, [&](const std::string &part) { return names.at(part); });
    std::vector<NodeProto> nodes = std::move(conversion.before);
    nodes.push_back(std::move(conversion.node));
    std::ranges::move(conversion.after, std::back_inserter(nodes));
    return nodes;
  };
}

/// The names that converting a node takes.
static std::map<std::string, std::string> namesFor(const Node &node, FreshNames &names) {
  std::map<std::string, std::string> result;
  for (const char *part : {"axes", "split", "starts", "ends", "k", "shape", "rows", "result"})
    result[part] = names.make(node.label() + "." + part);
  return result;
}

static Status raiseGraph(const Model &model, const Graph &graph, int64_t from, int64_t to, FreshNames &names,
                         ModelEdits &edits) {
  for (const Node &node : graph.nodes) {
    std::vector<const Change *> found = changesOf(node, from, to);
    if (!found.empty() && (node.inputs.empty() || node.outputs.empty()))
      return Error{model.describe(node) + ": needs an input and an output"};
    for (const Change *change : found)
      if (const std::string reason = change->refuses(node); !reason.empty())
        return Error{model.describe(node) + ": cannot be raised to opset " + std::to_string(to) + ": " + reason +
                     " in opset " + std::to_string(change->version)};
    if (!found.empty())
      edits.graphs[&graph].nodes.emplace(node.position, rewriteBy(std::move(found), namesFor(node, names)));
    for (const Attribute &attribute : node.attributes)
      if (const auto *inner = std::get_if<std::unique_ptr<Graph>>(&attribute.value))
        if (Status raised = raiseGraph(model, **inner, from, to, names, edits); !raised)
          return raised;
  }
  return {};
}

Status raiseOpset(const Model &model, int64_t version, FreshNames &names, ModelEdits &edits) {
  const auto opset = model.opsets.find("");
  const int64_t irVersion =
      std::ranges::find_if(irVersions, [&](auto &row) { return row.opset <= version; })->irVersion;
  if (model.irVersion < irVersion)
    edits.irVersion = std::max(edits.irVersion, irVersion);
  if (opset != model.opsets.end() && opset->second >= version)
    return {};
  edits.opsets[""] = version;
  if (opset == model.opsets.end())
    return {};
  if (!model.functions.empty())
    return Error{model.path + ": function '" + model.functions.front() + "' states its operator sets itself: a model " +
                 "with functions cannot be raised from opset " + std::to_string(opset->second) + " to " +
                 std::to_string(version)};
  return raiseGraph(model, model.graph, opset->second, version, names, edits);
}

} // namespace halftone::onnx
