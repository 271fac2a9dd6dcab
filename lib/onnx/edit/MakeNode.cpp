// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the fields are called.
#include "lib/onnx/edit/MakeNode.h"

namespace halftone::onnx {

using ::onnx::AttributeProto;
using ::onnx::NodeProto;

NodeProto makeNode(const std::string &type, const std::vector<std::string> &inputs, const std::string &output,
                   const std::string &name, const std::string &domain) {
  NodeProto node;
  node.set_op_type(type);
  node.set_name(name);
  if (!domain.empty())
    node.set_domain(domain);
  for (const std::string &input : inputs)
    node.add_input(input);
  node.add_output(output);
  return node;
}

NodeProto makeConstant(std::span<const int64_t> values, const std::string &output) {
  NodeProto node = makeNode("Constant", {}, output, output);
  AttributeProto &attribute = *node.add_attribute();
  attribute.set_name("value");
  attribute.set_type(AttributeProto::TENSOR);
  attribute.mutable_t()->set_data_type(::onnx::TensorProto::INT64);
  attribute.mutable_t()->add_dims(static_cast<int64_t>(values.size()));
  attribute.mutable_t()->set_raw_data(values.data(), values.size_bytes());
  return node;
}

void setAttribute(NodeProto &node, const std::string &name, int64_t value) {
  removeAttribute(node, name);
  AttributeProto &attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(AttributeProto::INT);
  attribute.set_i(value);
}

const AttributeProto *findAttribute(const NodeProto &node, const std::string &name) {
  for (const AttributeProto &attribute : node.attribute())
    if (attribute.name() == name)
      return &attribute;
  return nullptr;
}

void removeAttribute(NodeProto &node, const std::string &name) {
  auto &attributes = *node.mutable_attribute();
  for (int i = attributes.size() - 1; i >= 0; --i)
    if (attributes[i].name() == name)
      attributes.DeleteSubrange(i, 1);
}

} // namespace halftone::onnx
