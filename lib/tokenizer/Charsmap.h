// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The compiled rewriting rules of a SentencePiece normalizer (nmt_nfkc and the like): a double array over the texts to
// replace, and the replacements. Source: Darts-clone's unit layout, as SentencePiece stores it.
#pragma once

#include "lib/io/Result.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace halftone::tokenizer {

/// Longest-match rules text -> text, read in place from the model file. Every step is checked against the blob's
/// bounds.
class Charsmap {
public:
  /// No rules at all.
  Charsmap() = default;
  /// Reads `blob`: 32-bit size of the double array in bytes, the array, then the replacements, each ended by a zero
  /// byte.
  static Expected<Charsmap> read(std::string_view blob);

  struct Rule {
    size_t length; ///< bytes that the rule replaces, at least 1
    std::string_view replacement;
  };
  /// The rule for the longest beginning of `text` that has one.
  std::optional<Rule> longestRule(std::string_view text) const;

private:
  std::optional<uint32_t> unitAt(uint32_t place) const;

  std::string_view units;
  std::string_view replacements;
};

} // namespace halftone::tokenizer
