// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Globs are LLVM's.
#include "passes/Fallbacks.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/GlobPattern.h"

namespace halftone {

static constexpr llvm::StringLiteral option = "--allow-fallback", everything = "*";

/// A weight a line, the first few.
static std::string describe(llvm::ArrayRef<const Fallback *> refused) {
  constexpr size_t most = 8;
  std::string text;
  for (const Fallback *fallback : refused.take_front(most))
    text += "\n  " + fallback->weight + ": " + fallback->reason;
  if (refused.size() > most)
    text += "\n  and " + std::to_string(refused.size() - most) + " more";
  return text;
}

Status checkAllowed(std::span<const Fallback> fallbacks, const std::string &allowed) {
  std::vector<char> isAllowed(fallbacks.size());
  for (llvm::StringRef text : llvm::split(allowed, ',')) {
    if (allowed.empty())
      break;
    llvm::Expected<llvm::GlobPattern> glob = llvm::GlobPattern::create(text);
    if (!glob)
      return Error{(option + ": '" + text + "' is no pattern: " + llvm::toString(glob.takeError())).str()};
    bool matches = text == everything;
    for (auto [fallback, is] : llvm::zip(fallbacks, isAllowed))
      if (glob->match(fallback.weight))
        is = matches = true;
    if (!matches)
      return Error{(option + ": nothing falls back whose weight is called '" + text + "'").str()};
  }
  llvm::SmallVector<const Fallback *> refused;
  for (auto [fallback, is] : llvm::zip(fallbacks, isAllowed))
    if (!is)
      refused.push_back(&fallback);
  if (refused.empty())
    return {};
  return Error{std::to_string(refused.size()) + (refused.size() == 1 ? " weight falls" : " weights fall") +
               " back, which " + option.str() + "=GLOB allows:" + describe(refused)};
}

} // namespace halftone
