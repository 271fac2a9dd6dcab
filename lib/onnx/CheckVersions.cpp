// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table of what is supported.
#include "lib/onnx/CheckVersions.h"

#include <algorithm>

namespace halftone::onnx {

namespace {
struct VersionRange {
  int64_t first, last;
};
/// IR 3 was the first to ask for attribute types, 13 came with ONNX 1.20. Opset 7 brought the broadcasting of today,
/// opset 25 came with ONNX 1.20. Source: onnx/docs/Versioning.md.
constexpr VersionRange irVersions = {3, 13};
constexpr VersionRange opsetVersions = {7, 25};

constexpr std::string_view knownDomains[] = {"", "ai.onnx.ml", "com.microsoft"};
} // namespace

static Status checkRange(const Model &model, const char *what, int64_t version, VersionRange range) {
  if (version >= range.first && version <= range.last)
    return {};
  return Error{model.path + ": " + what + " " + std::to_string(version) + " is not supported, " +
               std::to_string(range.first) + " to " + std::to_string(range.last) + " are"};
}

std::string_view canonicalDomain(std::string_view domain) { return domain == "ai.onnx" ? "" : domain; }

Status checkVersions(const Model &model) {
  if (Status checked = checkRange(model, "IR version", model.irVersion, irVersions); !checked)
    return checked;
  const auto opset = model.opsets.find("");
  return opset == model.opsets.end() ? Status() : checkRange(model, "opset", opset->second, opsetVersions);
}

Status checkDomain(const Model &model, const Node &node) {
  if (std::ranges::find(knownDomains, node.domain) == std::ranges::end(knownDomains)) {
    std::string known;
    for (const std::string_view domain : knownDomains)
      known += std::string(known.empty() ? "" : ", ") + (domain.empty() ? "ai.onnx" : std::string(domain));
    return Error{model.describe(node) + ": domain '" + node.domain + "' is not known; known are " + known};
  }
  if (!model.opsets.contains(node.domain))
    return Error{model.describe(node) + ": the model imports no operator set of domain '" +
                 (node.domain.empty() ? "ai.onnx" : node.domain) + "'"};
  return {};
}

} // namespace halftone::onnx
