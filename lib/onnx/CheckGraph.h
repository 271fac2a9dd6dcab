// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names, order and cycles: after this every value of a graph is defined once and before its use.
#pragma once

#include "lib/onnx/Model.h"

namespace halftone::onnx {

/// Checks `model`'s graph and its subgraphs, and puts their nodes in order: nodes that stand in order already keep it,
/// others move behind what they read. Fails when a name is defined twice or not at all, and on a cycle, naming its
/// nodes.
Status checkGraph(Model &model);

} // namespace halftone::onnx
