// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Small models through protobuf's own classes: what the reader is tested against was not written by the
// reader's code.
#pragma once

#include "lib/onnx/Model.h"
#include "test/io/TemporaryFolder.h"

#include "onnx-ml.pb.h"

#include <gmock/gmock.h>
#include <initializer_list>
#include <string>
#include <vector>

namespace halftone::test {

using Strings = std::vector<std::string>;

inline ::onnx::ValueInfoProto value(const std::string &name, std::initializer_list<int64_t> shape = {2, 2}) {
  ::onnx::ValueInfoProto value;
  value.set_name(name);
  auto *type = value.mutable_type()->mutable_tensor_type();
  type->set_elem_type(::onnx::TensorProto::FLOAT);
  for (const int64_t size : shape)
    type->mutable_shape()->add_dim()->set_dim_value(size);
  return value;
}

inline ::onnx::NodeProto node(const std::string &type, const Strings &inputs, const Strings &outputs,
                              const std::string &name = "") {
  ::onnx::NodeProto node;
  node.set_op_type(type);
  node.set_name(name);
  for (const std::string &input : inputs)
    node.add_input(input);
  for (const std::string &output : outputs)
    node.add_output(output);
  return node;
}

template <class T> std::string raw(const std::vector<T> &values) {
  return {reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T)};
}

inline ::onnx::TensorProto tensor(const std::string &name, ::onnx::TensorProto::DataType type,
                                  std::initializer_list<int64_t> shape, const std::string &rawData) {
  ::onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(type);
  for (const int64_t size : shape)
    tensor.add_dims(size);
  tensor.set_raw_data(rawData);
  return tensor;
}

inline ::onnx::AttributeProto attribute(const std::string &name, ::onnx::AttributeProto::AttributeType type) {
  ::onnx::AttributeProto attribute;
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

/// IR 8, opset 17, a graph with input 'x' and the given output; nodes are for the test to add.
inline ::onnx::ModelProto emptyModel(const std::string &output = "y") {
  ::onnx::ModelProto model;
  model.set_ir_version(8);
  model.set_producer_name("builder");
  model.add_opset_import()->set_version(17);
  *model.mutable_graph()->add_input() = value("x");
  *model.mutable_graph()->add_output() = value(output);
  return model;
}

/// y = x + w, with a float32 weight of the given shape and bytes.
inline ::onnx::ModelProto addModel(std::initializer_list<int64_t> shape, const std::string &bytes) {
  ::onnx::ModelProto model = emptyModel();
  *model.mutable_graph()->add_node() = node("Add", {"x", "w"}, {"y"}, "add");
  *model.mutable_graph()->add_initializer() = tensor("w", ::onnx::TensorProto::FLOAT, shape, bytes);
  return model;
}

/// Makes the model's first initializer external, with these entries.
inline void makeExternal(::onnx::ModelProto &model, const std::vector<std::pair<std::string, std::string>> &entries) {
  ::onnx::TensorProto &tensor = *model.mutable_graph()->mutable_initializer(0);
  tensor.clear_raw_data();
  tensor.clear_external_data();
  tensor.set_data_location(::onnx::TensorProto::EXTERNAL);
  for (const auto &[key, text] : entries) {
    auto *entry = tensor.add_external_data();
    entry->set_key(key);
    entry->set_value(text);
  }
}

/// Writes `model` as m.onnx in the folder and reads it back.
inline Expected<onnx::Model> roundTrip(const TemporaryFolder &folder, const ::onnx::ModelProto &model,
                                       const onnx::ReadOptions &options = {}) {
  return onnx::readModel(folder.write("m.onnx", model.SerializeAsString()), options);
}

/// The error that reading `model` gives, from after the folder's path: "m.onnx: ...".
inline std::string refusal(const ::onnx::ModelProto &model) {
  TemporaryFolder folder;
  const Expected<onnx::Model> read = roundTrip(folder, model);
  if (read)
    return "no error";
  EXPECT_TRUE(read.error().message.starts_with(folder / "m.onnx: ")) << read.error().message;
  return read.error().message.substr(folder.path.size() + 1);
}

} // namespace halftone::test
