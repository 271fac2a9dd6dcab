// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The text as SentencePiece sees it before cutting: rewriting rules, spaces as U+2581, the dummy space in front.
#pragma once

#include "lib/tokenizer/Charsmap.h"
#include "lib/tokenizer/SentencePieceModel.h"
#include "lib/tokenizer/Trie.h"

#include <string>
#include <string_view>

namespace halftone::tokenizer {

/// U+2581, LOWER ONE EIGHTH BLOCK: how pieces spell a space.
inline constexpr std::string_view spaceSymbol = "\xE2\x96\x81";

/// The normalizer of one model. `userDefined`, whose symbols are never rewritten, must outlive it.
class Normalizer {
public:
  static Expected<Normalizer> create(const NormalizerSpec &spec, const Trie &userDefined);

  /// What SentencePiece's Normalizer::Normalize gives for `text`.
  std::string normalize(std::string_view text) const;

private:
  struct Step {
    std::string_view output;
    size_t consumed;
  };
  Normalizer(const NormalizerSpec &spec, const Trie &userDefined, Charsmap charsmap)
      : spec(spec), userDefined(&userDefined), charsmap(charsmap) {}
  Step nextStep(std::string_view text) const;
  std::string_view space() const { return spec.escapeWhitespaces ? spaceSymbol : " "; }
  void appendEscaped(std::string_view text, std::string &output) const;

  NormalizerSpec spec;
  const Trie *userDefined;
  Charsmap charsmap;
};

} // namespace halftone::tokenizer
