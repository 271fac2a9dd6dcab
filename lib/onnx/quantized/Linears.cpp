// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From each product backwards to a constant.
#include "lib/onnx/quantized/Linears.h"

#include <algorithm>
#include <optional>

namespace halftone::onnx {

std::string LinearWeight::describe(const Model &model) const {
  return model.path + ": weight '" + std::string(value->name) + "'";
}

static bool isFloat(ElementType type) {
  return type == ElementType::float32 || type == ElementType::float16 || type == ElementType::bfloat16;
}

static const Tensor *constantOf(const Value &value) {
  if (value.initializer)
    return value.initializer;
  return value.node && value.node->domain.empty() && value.node->opType == "Constant" ? value.node->get<Tensor>("value")
                                                                                      : nullptr;
}

namespace {

/// A constant matrix as some node reads it.
struct Matrix {
  const Value *value;
  const Tensor *tensor;
  bool isTurned; ///< against the tensor
  ElementType type;
};

} // namespace

/// Whether a Transpose of a matrix turns it; nothing when it is one of another rank.
static std::optional<bool> turns(const Node &transpose) {
  const auto *order = transpose.get<std::vector<int64_t>>("perm");
  if (!order)
    return true;
  if (*order == std::vector<int64_t>{1, 0})
    return true;
  return *order == std::vector<int64_t>{0, 1} ? std::optional(false) : std::nullopt;
}

static std::optional<Matrix> matrixBehind(const Values &values, const Value *value) {
  if (!value)
    return std::nullopt;
  if (const Tensor *tensor = constantOf(*value))
    return tensor->shape.size() == 2 && isFloat(tensor->type)
               ? std::optional(Matrix{value, tensor, false, tensor->type})
               : std::nullopt;
  const Node *node = value->node;
  if (!node || !node->domain.empty())
    return std::nullopt;
  const bool isTranspose = node->opType == "Transpose", isCast = node->opType == "Cast";
  if (!isTranspose && !isCast && node->opType != "Identity")
    return std::nullopt;
  std::optional<Matrix> matrix = matrixBehind(values, values.read(*node, 0));
  if (matrix && isTranspose) {
    const std::optional<bool> turned = turns(*node);
    if (!turned)
      return std::nullopt;
    matrix->isTurned ^= *turned;
  }
  if (matrix && isCast) {
    const auto *to = node->get<int64_t>("to");
    matrix->type = to ? elementType(*to).value_or(ElementType::undefined) : ElementType::undefined;
    if (!isFloat(matrix->type))
      return std::nullopt;
  }
  return matrix;
}

/// Whether the node is a product of something with a matrix [columns, rows]; with `readsRows` of [rows, columns].
static bool isLinear(const Node &node, bool &readsRows) {
  if (!node.domain.empty() || (node.opType != "MatMul" && node.opType != "Gemm") || node.outputs.empty())
    return false;
  const auto *transposed = node.opType == "Gemm" ? node.get<int64_t>("transB") : nullptr;
  readsRows = transposed && *transposed != 0;
  return true;
}

static void addLinear(const Values &values, const Graph &graph, const Node &node, std::vector<LinearWeight> &weights) {
  bool readsRows = false;
  if (!isLinear(node, readsRows))
    return;
  const std::optional<Matrix> matrix = matrixBehind(values, values.read(node, 1));
  if (!matrix || matrix->tensor->shape[0] == 0 || matrix->tensor->shape[1] == 0)
    return;
  const bool isTransposed = readsRows == matrix->isTurned;
  auto weight = std::ranges::find_if(weights, [&](const LinearWeight &known) {
    return known.tensor == matrix->tensor && known.isTransposed == isTransposed && known.type == matrix->type;
  });
  if (weight == weights.end())
    weight = weights.insert(weight, {matrix->value,
                                     matrix->tensor,
                                     matrix->tensor->shape[isTransposed],
                                     matrix->tensor->shape[!isTransposed],
                                     isTransposed,
                                     matrix->type,
                                     {}});
  weight->linears.push_back({&graph, &node, readsRows});
}

static void addLinears(const Values &values, const Graph &graph, std::vector<LinearWeight> &weights) {
  for (const Node &node : graph.nodes) {
    addLinear(values, graph, node, weights);
    for (const Attribute &attribute : node.attributes)
      if (const auto *inner = std::get_if<std::unique_ptr<Graph>>(&attribute.value))
        addLinears(values, **inner, weights);
  }
}

std::string describe(const Reader &reader) {
  return reader.node ? "read by '" + reader.node->label() + "' (" + reader.node->opType + ")" : "it is an output";
}

/// Why no linear reads `value`, a constant.
static std::string reasonFor(const Value &value, const Tensor &tensor) {
  if (value.readers.empty())
    return "nothing reads it";
  const Reader &reader = value.readers.front();
  bool readsRows = false;
  if (reader.node && tensor.shape.size() == 2 && reader.input == 0 && isLinear(*reader.node, readsRows))
    return "the left side of '" + reader.node->label() + "' (" + reader.node->opType + ")";
  return describe(reader);
}

Linears findLinears(const Values &values, const Model &model) {
  Linears linears;
  addLinears(values, model.graph, linears.weights);
  for (const std::unique_ptr<Value> &value : values.all()) {
    const Tensor *tensor = constantOf(*value);
    if (tensor && tensor->shape.size() >= 2 && isFloat(tensor->type) &&
        std::ranges::find(linears.weights, tensor, &LinearWeight::tensor) == linears.weights.end())
      linears.others.push_back({tensor, std::string(value->name), reasonFor(*value, *tensor)});
  }
  return linears;
}

} // namespace halftone::onnx
