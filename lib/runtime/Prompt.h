// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a text begins with: characters or numbers, as tokens.
#pragma once

#include "lib/tokenizer/Tokenizer.h"

#include <string>
#include <vector>

namespace halftone::runtime {

/// What to start from: the text shown before the continuation, and the tokens of it.
struct Prompt {
  std::string shown;
  std::vector<int64_t> tokens;
};

/// The token that begins a text, then the text's own; without a tokenizer `text` is token ids between spaces or
/// commas. Fails on what is no token id, and on one outside of the vocabulary.
Expected<Prompt> encodePrompt(std::string text, const tokenizer::Tokenizer *tokenizer, int64_t vocabulary);

/// The prompts in the file `path`, with which errors begin, cut as documents are (lib/evaluate/Sequences.h); an empty
/// separator cuts lines. Fails as encodePrompt(), when the file cannot be read, when it has no prompt, and when one is
/// longer than `context`.
Expected<std::vector<Prompt>> readPrompts(const std::string &path, const std::string &separator,
                                          const tokenizer::Tokenizer *tokenizer, int64_t vocabulary, int64_t context);

} // namespace halftone::runtime
