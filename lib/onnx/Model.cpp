// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Looking things up in a model.
#include "lib/onnx/Model.h"

#include <algorithm>

namespace halftone::onnx {

const AttributeValue *Node::attribute(std::string_view name) const {
  const auto found = std::ranges::find(attributes, name, &Attribute::name);
  return found == attributes.end() ? nullptr : &found->value;
}

const std::string &Node::label() const {
  const auto named = std::ranges::find_if(outputs, [](const std::string &output) { return !output.empty(); });
  return name.empty() && named != outputs.end() ? *named : name;
}

std::string Model::describe(const Node &node) const {
  const auto opset = opsets.find(node.domain);
  return path + ": node '" + node.label() + "' (" + (node.domain.empty() ? "" : node.domain + ".") + node.opType +
         (opset == opsets.end() ? "" : ", opset " + std::to_string(opset->second)) + ")";
}

} // namespace halftone::onnx
