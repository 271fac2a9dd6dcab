// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Globs are LLVM's.
#include "passes/model/FormatRules.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/GlobPattern.h"

namespace halftone {

struct FormatRules::Rule {
  FormatRule rule;
  llvm::GlobPattern glob;
  bool hasMatched = false;

  bool matches(const onnx::LinearWeight &weight) const {
    return glob.match(weight.value->name) ||
           llvm::any_of(weight.linears, [&](auto &linear) { return glob.match(linear.node->name); });
  }
};

FormatRules::FormatRules() = default;
FormatRules::FormatRules(FormatRules &&) = default;
FormatRules::~FormatRules() = default;

Expected<FormatRules> FormatRules::create(const std::vector<FormatRule> &rules) {
  FormatRules result;
  for (const FormatRule &rule : rules) {
    llvm::Expected<llvm::GlobPattern> glob = llvm::GlobPattern::create(rule.glob);
    if (!glob)
      return Error{"--formats: '" + rule.glob + "' is no pattern: " + llvm::toString(glob.takeError())};
    result.rules.push_back({rule, std::move(*glob)});
  }
  return result;
}

formats::Format FormatRules::formatOf(const onnx::LinearWeight &weight, const formats::Format &otherwise) {
  const Rule *first = nullptr;
  for (Rule &rule : rules)
    if (rule.matches(weight)) {
      rule.hasMatched = true;
      first = first ? first : &rule;
    }
  return first ? first->rule.format : otherwise;
}

Status FormatRules::checkAllMatched() const {
  for (const Rule &rule : rules)
    if (!rule.hasMatched)
      return Error{"--formats: no weight of a linear and no node that reads one is called '" + rule.rule.glob + "'"};
  return {};
}

} // namespace halftone
