// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What `halftone bisect` finds out, as lines and as JSON.
#pragma once

#include "passes/bisect/CompareModules.h"

#include "llvm/Support/JSON.h"

namespace halftone::tool {

/// Something that two executables say of themselves differently: "format", "weight layers.0.q".
struct FactDifference {
  std::string what, first, second;
};

/// A dump of one stage in both folders, or the only pair there is.
struct StageComparison {
  /// "04-quantize"; empty outside of folders.
  std::string stage;
  /// None where a module of the stage cannot be run: then only texts are compared.
  std::optional<bisect::Comparison> modules;
  bool sameText = false;
};

struct Bisection {
  /// As the user named them.
  std::string first, second;
  double tolerance = 0;
  uint64_t tokens = 0;
  /// Of folders all stages in order up to the first that parts; of modules one; of executables none.
  std::vector<StageComparison> stages;
  /// Of executables: relative difference of their logits and mean KL(first || second); and what they say of themselves.
  std::optional<bisect::Comparison> executables;
  std::vector<FactDifference> facts;

  /// Whether nothing is beyond the tolerance.
  bool isSame() const;
};

/// Lines for a person.
std::string text(const Bisection &bisection);
/// One object, indented.
std::string json(const Bisection &bisection);

} // namespace halftone::tool
