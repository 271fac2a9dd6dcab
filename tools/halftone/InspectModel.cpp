// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A report on an ONNX file.
#include "lib/onnx/Model.h"
#include "passes/Pipeline.h"
#include "tools/halftone/Inspect.h"

#include "llvm/Support/Path.h"

#include <algorithm>

namespace halftone::tool {

using llvm::json::Array;
using llvm::json::Object;
using llvm::json::Value;

/// Names are bytes; JSON is UTF-8.
static Value text(llvm::StringRef bytes) { return llvm::json::fixUTF8(bytes); }

static Value shapeOf(const onnx::ValueInfo &info) {
  if (!info.shape)
    return nullptr;
  Array sizes;
  for (const onnx::Dimension &dimension : *info.shape)
    if (const int64_t *size = std::get_if<int64_t>(&dimension))
      sizes.push_back(*size);
    else
      sizes.push_back(std::get<std::string>(dimension).empty() ? Value("?") : text(std::get<std::string>(dimension)));
  return sizes;
}

static Table interfaceOf(const std::vector<onnx::ValueInfo> &values) {
  Table table = {{"name", "type", "shape"}, {}};
  for (const onnx::ValueInfo &info : values)
    table.rows.push_back({text(info.name), text(onnx::name(info.type)), shapeOf(info)});
  return table;
}

/// Calls `visit` with each tensor of the file: initializers, and constants that are nodes.
template <class Visit> static void forEachTensor(const onnx::Graph &graph, Visit visit) {
  for (const onnx::Tensor &tensor : graph.initializers)
    visit(tensor.name, tensor);
  for (const onnx::Node &node : graph.nodes) {
    const auto *value = node.get<onnx::Tensor>("value");
    if (value && node.opType == "Constant" && node.domain.empty() && !node.outputs.empty())
      visit(node.outputs.front(), *value);
    for (const onnx::Attribute &attribute : node.attributes)
      if (const auto *inner = std::get_if<std::unique_ptr<onnx::Graph>>(&attribute.value))
        forEachTensor(**inner, visit);
  }
}

static uint64_t bytesOf(const onnx::Tensor &tensor) {
  return onnx::byteSize(tensor.type, tensor.shape).value_or(tensor.bytes.size());
}

static Table tensorsOf(const onnx::Model &model) {
  Table table = {{"name", "type", "shape", "bytes", "file", "offset"}, {}};
  forEachTensor(model.graph, [&](const std::string &name, const onnx::Tensor &tensor) {
    const auto &place = tensor.location;
    table.rows.push_back({text(name), text(onnx::name(tensor.type)), Array(tensor.shape), bytesOf(tensor),
                          place ? text(llvm::sys::path::filename(model.files[place->file]->path())) : Value(nullptr),
                          place ? Value(place->offset) : Value(nullptr)});
  });
  return table;
}

/// How many tensors, elements and bytes there are of each type.
static Table typesOf(const onnx::Model &model) {
  struct Sums {
    uint64_t tensors = 0, elements = 0, bytes = 0;
  };
  std::map<std::string_view, Sums> types;
  forEachTensor(model.graph, [&](const std::string &, const onnx::Tensor &tensor) {
    Sums &sums = types[onnx::name(tensor.type)];
    ++sums.tensors;
    sums.elements += onnx::elementCount(tensor.shape).value_or(0);
    sums.bytes += bytesOf(tensor);
  });
  Table table = {{"type", "tensors", "elements", "bytes"}, {}};
  for (const auto &[type, sums] : types)
    table.rows.push_back({text(type), sums.tensors, sums.elements, sums.bytes});
  return table;
}

static void countOperators(const onnx::Graph &graph, std::map<std::string, int64_t> &counts) {
  for (const onnx::Node &node : graph.nodes) {
    ++counts[(node.domain.empty() ? "" : node.domain + ".") + node.opType];
    for (const onnx::Attribute &attribute : node.attributes)
      if (const auto *inner = std::get_if<std::unique_ptr<onnx::Graph>>(&attribute.value))
        countOperators(**inner, counts);
  }
}

/// Most frequent first.
static Table operatorsOf(const onnx::Graph &graph) {
  std::map<std::string, int64_t> counts;
  countOperators(graph, counts);
  std::vector<std::pair<std::string, int64_t>> sorted(counts.begin(), counts.end());
  std::sort(sorted.begin(), sorted.end(),
            [](auto &a, auto &b) { return std::pair(-a.second, a.first) < std::pair(-b.second, b.first); });
  Table table = {{"operator", "nodes"}, {}};
  for (const auto &[name, count] : sorted)
    table.rows.push_back({text(name), count});
  return table;
}

static Object opsetsOf(const onnx::Model &model) {
  Object opsets;
  for (const auto &[domain, version] : model.opsets)
    opsets[text(domain.empty() ? "ai.onnx" : domain).getAsString()->str()] = version;
  return opsets;
}

static Object toJson(const Architecture &found) {
  Object object{{"layers", found.layers},    {"hidden", found.hidden},      {"heads", found.heads},
                {"kv_heads", found.kvHeads}, {"head_size", found.headSize}, {"vocabulary", found.vocabulary},
                {"context", found.context},  {"tied_embedding", found.tied}};
  if (!found.rope)
    return object;
  object["rope_channels"] = found.rope->channels;
  object["rope_pairs"] = found.rope->interleaved ? "neighbours" : "halves";
  object["rope_base"] = found.rope->base ? Value(*found.rope->base) : Value(nullptr);
  return object;
}

static Table linearsOf(const Architecture &found) {
  Table table = {{"outputs", "inputs", "layers"}, {}};
  for (const auto &[size, count] : found.linears)
    table.rows.push_back({size.first, size.second, count});
  return table;
}

Expected<Report> inspectModel(const std::string &path, const std::string &externalDataRoot) {
  const Expected<onnx::Model> model = onnx::readModel(path, {.externalDataRoot = externalDataRoot});
  if (!model)
    return model.error();
  PipelineOptions options;
  options.input = path;
  options.externalDataRoot = externalDataRoot;
  const Expected<Architecture> found = recognise(options);
  Report report = {{"file", text(llvm::sys::path::filename(path))},
                   {"kind", Value("onnx")},
                   {"producer", text(model->producer)},
                   {"ir_version", Value(model->irVersion)},
                   {"opsets", Value(opsetsOf(*model))}};
  if (found) {
    report.push_back({"architecture", Value(toJson(*found))});
    report.push_back({"linears", linearsOf(*found)});
  } else {
    report.push_back({"not_a_decoder", text(found.error().message)});
  }
  report.push_back({"inputs", interfaceOf(model->graph.inputs)});
  report.push_back({"outputs", interfaceOf(model->graph.outputs)});
  report.push_back({"operators", operatorsOf(model->graph)});
  report.push_back({"types", typesOf(*model)});
  report.push_back({"tensors", tensorsOf(*model)});
  return report;
}

} // namespace halftone::tool
