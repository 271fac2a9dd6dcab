// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From weights to edits of the model.
#include "lib/onnx/quantized/QuantizedModel.h"

#include "lib/formats/Scalar.h"
#include "lib/onnx/edit/MakeNode.h"
#include "lib/onnx/edit/PatchModel.h"
#include "lib/onnx/edit/RaiseOpset.h"
#include "lib/onnx/quantized/StorageStyle.h"

#include <algorithm>
#include <climits>

namespace halftone::onnx {

using formats::FlatPart;
using ::onnx::NodeProto;

/// From this IR version on an initializer need not be an input.
static constexpr int64_t freeInitializers = 4;

namespace {

class Editor {
public:
  Editor(const Model &model, const Values &values, const StorageStyle &style)
      : model(model), style(style), names(values), values(values) {}

  void replace(const QuantizedWeight &weight);
  /// Who still reads a value, or "".
  std::string otherReader(const Value &value) const;
  Expected<ModelEdits> finish();

private:
  StoredNames store(const QuantizedWeight &weight, const StoredForm &form);
  NodeRewrite divideInput(const QuantizedWeight &weight, const Linear &linear, NodeRewrite rewrite);
  std::string storeInverse(const QuantizedWeight &weight, bool isTurned);
  void forget(const Node &node, size_t input);

  const Model &model;
  const StorageStyle &style;
  FreshNames names;
  const Values &values;
  ModelEdits edits;
  std::map<std::string, int64_t> needed;            // operator sets
  std::set<std::pair<const Node *, size_t>> unread; // inputs that are no longer
  std::map<std::tuple<const Graph *, const void *, bool>, std::string> inverses;
};

} // namespace

/// Adds the tensors of a matrix, and what stands in front, to the graph that has the weight.
StoredNames Editor::store(const QuantizedWeight &weight, const StoredForm &form) {
  const std::string name(weight.weight->value->name);
  const bool hasZeros = weight.matrix.shape().format.zeroPoint;
  const StoredNames stored = {names.make(name + ".codes"), names.make(name + ".scales"),
                              hasZeros ? names.make(name + ".zeros") : "", names.make(name + ".values")};
  GraphEdits &graph = edits.graphs[weight.weight->value->graph];
  const auto add = [&](const std::string &tensor, FlatPart part, ElementType type, const std::vector<int64_t> &shape) {
    io::Rope content;
    content.append(formats::flatBytes(part, weight.matrix.shape(), form.layout),
                   [=, matrix = weight.matrix, layout = form.layout](const io::Rope::Sink &sink) {
                     return formats::writeFlat(part, matrix, layout, sink);
                   });
    graph.initializers.push_back({tensor, type, shape, std::move(content)});
  };
  add(stored.codes, FlatPart::Codes, form.codeType, form.codes);
  add(stored.scales, FlatPart::Scales, form.scaleType, form.scales);
  if (hasZeros)
    add(stored.zeros, FlatPart::Zeros, form.codeType, form.zeros);
  std::ranges::copy(style.front(form, stored), std::back_inserter(graph.front));
  return stored;
}

/// The tensor 1 / scale, one for all weights with this scale. \param isTurned as a column.
std::string Editor::storeInverse(const QuantizedWeight &weight, bool isTurned) {
  std::string &name = inverses[{weight.weight->value->graph, weight.scale.get(), isTurned}];
  if (!name.empty())
    return name;
  name = names.make(std::string(weight.weight->value->name) + ".inverse_scale");
  const auto columns = static_cast<int64_t>(weight.scale->size());
  const ElementType type = weight.weight->type;
  const formats::Scalar scalar = type == ElementType::float16    ? formats::Scalar::F16
                                 : type == ElementType::bfloat16 ? formats::Scalar::BF16
                                                                 : formats::Scalar::F32;
  const auto bytes = formats::scalarBytes(scalar);
  std::string inverse(weight.scale->size() * bytes, '\0');
  for (size_t i = 0; i < weight.scale->size(); ++i)
    formats::storeScalar(scalar, 1 / (*weight.scale)[i], reinterpret_cast<std::byte *>(inverse.data()) + i * bytes);
  io::Rope content(std::move(inverse));
  edits.graphs[weight.weight->value->graph].initializers.push_back(
      {name, type, isTurned ? std::vector<int64_t>{columns, 1} : std::vector<int64_t>{columns}, std::move(content)});
  return name;
}

/// The linear with a product in front, which its input goes through.
NodeRewrite Editor::divideInput(const QuantizedWeight &weight, const Linear &linear, NodeRewrite rewrite) {
  const auto *transposed = linear.node->get<int64_t>("transA");
  const std::string inverse = storeInverse(weight, transposed && *transposed != 0);
  const std::string scaled = names.make(linear.node->label() + ".scaled");
  return [=, rewrite = std::move(rewrite)](NodeProto node) {
    NodeProto product = makeNode("Mul", {node.input(0), inverse}, scaled, scaled);
    node.set_input(0, scaled);
    std::vector<NodeProto> nodes = rewrite(std::move(node));
    nodes.insert(nodes.begin(), std::move(product));
    return nodes;
  };
}

void Editor::replace(const QuantizedWeight &weight) {
  const formats::Format &format = weight.matrix.shape().format;
  std::map<bool, StoredNames> stored; // by whether the tensors are turned round
  for (const Linear &linear : weight.weight->linears) {
    const StoredForm form = *style.form(format, *weight.weight, linear.readsRows);
    int64_t &version = needed[form.needs.domain];
    version = std::max(version, form.needs.version);
    if (!stored.contains(form.layout.isTransposed))
      stored[form.layout.isTransposed] = store(weight, form);
    const std::string between = names.make(linear.node->label() + ".product");
    NodeRewrite rewrite = style.rewrite(format, *weight.weight, form, stored[form.layout.isTransposed], between);
    edits.graphs[linear.graph].nodes[linear.node->position] =
        weight.scale ? divideInput(weight, linear, std::move(rewrite)) : std::move(rewrite);
    forget(*linear.node, 1);
  }
}

std::string Editor::otherReader(const Value &value) const {
  const auto reader = std::ranges::find_if(
      value.readers, [&](const Reader &reader) { return !unread.contains({reader.node, reader.input}); });
  return reader == value.readers.end() ? "" : describe(*reader);
}

/// The node does not read this input any more: a value that nothing reads goes, and with it what defines it.
void Editor::forget(const Node &node, size_t input) {
  unread.insert({&node, input});
  const Value *value = values.read(node, input);
  if (!value || !otherReader(*value).empty())
    return;
  GraphEdits &graph = edits.graphs[value->graph];
  graph.removed.emplace(value->name);
  if (!value->node)
    return;
  graph.nodes[value->node->position] = [](const auto &) { return std::vector<::onnx::NodeProto>(); };
  for (size_t i = 0; i < value->node->inputs.size(); ++i)
    forget(*value->node, i);
}

Expected<ModelEdits> Editor::finish() {
  for (const auto &[domain, version] : needed) {
    const auto opset = model.opsets.find(domain);
    if (domain.empty()) {
      if (Status raised = raiseOpset(model, version, names, edits); !raised)
        return raised.error();
    } else if (opset == model.opsets.end() || opset->second < version) {
      edits.opsets[domain] = version;
    }
  }
  if (model.irVersion < freeInitializers) {
    edits.irVersion = std::max(edits.irVersion, freeInitializers);
    edits.endsDefaults = true;
  }
  return std::move(edits);
}

Expected<std::string> checkStyle(const StorageStyle &style, const formats::Format &format, const LinearWeight &weight) {
  for (const Linear &linear : weight.linears) {
    if (const std::string reason = style.refuses(*linear.node); !reason.empty())
      return "read by '" + linear.node->label() + "', a " + reason;
    if (const Expected<StoredForm> form = style.form(format, weight, linear.readsRows); !form)
      return form.error();
  }
  return std::string();
}

double storedBits(const StorageStyle &style, const formats::Format &format, const LinearWeight &weight) {
  const formats::StoredShape shape = {weight.rows, weight.columns, format, false};
  const StoredForm form = *style.form(format, weight, weight.linears.front().readsRows);
  int64_t bytes = 0;
  for (const FlatPart part : {FlatPart::Codes, FlatPart::Scales, FlatPart::Zeros})
    bytes += part == FlatPart::Zeros && !format.zeroPoint ? 0 : formats::flatBytes(part, shape, form.layout);
  return 8.0 * static_cast<double>(bytes) / static_cast<double>(weight.rows * weight.columns);
}

Expected<ModelFiles> describeFiles(const Model &model, const Values &values, std::span<const QuantizedWeight> weights,
                                   const StorageStyle &style, const std::string &externalName) {
  Editor editor(model, values, style);
  for (const QuantizedWeight &weight : weights)
    editor.replace(weight);
  Expected<ModelEdits> edits = editor.finish();
  if (!edits)
    return edits.error();
  ModelFiles files;
  for (const QuantizedWeight &weight : weights)
    files.otherReaders.push_back(editor.otherReader(*weight.weight->value));
  const bool wasExternal = model.files.size() > 1;
  Expected<io::Rope> whole = wasExternal ? io::Rope() : patchModel(model, *edits, nullptr);
  if (!whole)
    return whole.error();
  if (!wasExternal && whole->size() <= INT_MAX) {
    files.model = std::move(*whole);
    return files;
  }
  files.external.emplace(externalName);
  Expected<io::Rope> rest = patchModel(model, *edits, &*files.external);
  if (!rest)
    return rest.error();
  files.model = std::move(*rest);
  return files;
}

} // namespace halftone::onnx
