// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which versions of ONNX and which operator sets the reader understands: a table, and its checks.
#pragma once

#include "lib/onnx/Model.h"

#include <string_view>

namespace halftone::onnx {

/// "" for ONNX's own domain, which files also spell "ai.onnx".
std::string_view canonicalDomain(std::string_view domain);

/// The IR version, and the version of ONNX's own operator set where it is imported.
Status checkVersions(const Model &model);

/// The node's domain: imported by the model, and one we know. Domains that no node uses do not matter.
Status checkDomain(const Model &model, const Node &node);

} // namespace halftone::onnx
