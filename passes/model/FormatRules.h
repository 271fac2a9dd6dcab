// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which format a weight gets, by its name.
#pragma once

#include "lib/formats/Format.h"
#include "lib/onnx/quantized/Linears.h"

#include <memory>

namespace halftone {

/// The format of weights whose name, or the name of a node that reads them, `glob` matches.
struct FormatRule {
  std::string glob;
  formats::Format format;
};

/// Rules in their order, compiled.
class FormatRules {
public:
  /// Fails when a glob is no pattern.
  static Expected<FormatRules> create(const std::vector<FormatRule> &rules);
  FormatRules(FormatRules &&);
  ~FormatRules();

  /// The format of the first rule that matches, else `otherwise`.
  formats::Format formatOf(const onnx::LinearWeight &weight, const formats::Format &otherwise);
  /// Fails, naming it, when a rule matched none of the weights that were asked about.
  Status checkAllMatched() const;

private:
  struct Rule;
  FormatRules();

  std::vector<Rule> rules;
};

} // namespace halftone
