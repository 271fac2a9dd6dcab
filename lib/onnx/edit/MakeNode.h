// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Nodes and attributes through protobuf's classes, in a line each.
#pragma once

#include "onnx-ml.pb.h"

#include <span>
#include <string>
#include <vector>

namespace halftone::onnx {

::onnx::NodeProto makeNode(const std::string &type, const std::vector<std::string> &inputs, const std::string &output,
                           const std::string &name, const std::string &domain = "");
/// output = a tensor of int64: of one dimension.
::onnx::NodeProto makeConstant(std::span<const int64_t> values, const std::string &output);

void setAttribute(::onnx::NodeProto &node, const std::string &name, int64_t value);
/// The attribute of that name, or null.
const ::onnx::AttributeProto *findAttribute(const ::onnx::NodeProto &node, const std::string &name);
void removeAttribute(::onnx::NodeProto &node, const std::string &name);

} // namespace halftone::onnx
