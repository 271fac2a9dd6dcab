// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What shall change in a model file; all that is not named here stays as it is, byte for byte. For the .cpp files of
// lib/onnx: it names protobuf's classes.
#pragma once

#include "lib/io/Rope.h"
#include "lib/onnx/Model.h"

#include "onnx-ml.pb.h"

#include <functional>
#include <set>

namespace halftone::onnx {

/// An initializer that a graph gets. Its content has the bytes that type and shape want.
struct NewTensor {
  std::string name;
  ElementType type;
  std::vector<int64_t> shape;
  io::Rope content;
};

/// The nodes that come in the place of a node, in order. None takes it away.
using NodeRewrite = std::function<std::vector<::onnx::NodeProto>(::onnx::NodeProto node)>;

struct GraphEdits {
  /// By Node::position. A rewritten node has no graph inside that changes too.
  std::map<size_t, NodeRewrite> nodes;
  /// Names that are no longer: initializers, inputs that have these names as defaults, and notes about such values.
  std::set<std::string, std::less<>> removed;
  std::vector<NewTensor> initializers;
  /// Nodes in front of all others.
  std::vector<::onnx::NodeProto> front;
};

struct ModelEdits {
  std::map<const Graph *, GraphEdits> graphs;
  int64_t irVersion = 0; ///< 0 for the one that it has
  /// Versions by domain, of those that change or are new.
  std::map<std::string, int64_t> opsets;
  /// Initializers are no inputs with a default any more, as every one had to be before IR version 4.
  bool endsDefaults = false;
};

} // namespace halftone::onnx
