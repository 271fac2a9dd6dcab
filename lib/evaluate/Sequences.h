// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How a text becomes what a language model is measured on: documents one at a time, or consecutive windows. One way for
// `halftone eval` and for the emitted binary's --perplexity, so that their figures can be compared.
#pragma once

#include "lib/tokenizer/Tokenizer.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace halftone::evaluate {

/// Where a text is cut.
struct Cut {
  /// What stands between two documents; empty: the text is one, and is cut into windows.
  std::string separator;
  /// Most scored tokens of a document or a window, at least 1; a model's context must hold as many.
  int64_t length = 0;
};

/// The length when the user gives none. Documents: 256, what published figures of small models are made with, or the
/// context when that is shorter. Windows: the context, so that as many tokens as can be see a whole past.
int64_t defaultLength(std::string_view separator, int64_t context);

/// Tokens that go through a model as one sequence, at least 2 of them: each but the last is read, and gives the
/// probabilities by which the next one is scored.
struct Sequence {
  std::vector<int64_t> tokens;

  std::span<const int64_t> read() const { return std::span(tokens).first(tokens.size() - 1); }
  std::span<const int64_t> scored() const { return std::span(tokens).subspan(1); }
};

/// The parts of `text` between separators, without white space (ASCII) around them; empty ones are left out.
std::vector<std::string_view> documents(std::string_view text, std::string_view separator);

/// Cuts `text`. A document: the token that begins a text, then its own, cut off after `length` scored ones. Windows:
/// the text as it is; each begins with the same token and goes on where the one before ended, so that every token is
/// scored once. A tokenizer without a begin token leaves the first token of a document, or of the whole text, unscored;
/// a window then begins with the last token of the one before. Fails when the text cannot be encoded; gives nothing
/// when no token of it would be scored.
Expected<std::vector<Sequence>> cutText(std::string_view text, const Cut &cut, const tokenizer::Tokenizer &tokenizer);

/// The same, but fails when no token would be scored.
Expected<std::vector<Sequence>> sequences(std::string_view text, const Cut &cut, const tokenizer::Tokenizer &tokenizer);

/// The same, of the file `path`, with which errors begin.
Expected<std::vector<Sequence>> readSequences(const std::string &path, const Cut &cut,
                                              const tokenizer::Tokenizer &tokenizer);

} // namespace halftone::evaluate
