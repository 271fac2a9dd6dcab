// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A prompt at a time; a file of them is cut first.
#include "lib/runtime/Prompt.h"

#include "lib/evaluate/Sequences.h"
#include "lib/io/MappedFile.h"
#include "lib/runtime/Generate.h"

#include <algorithm>
#include <cstdlib>

namespace halftone::runtime {

static Status checkTokens(std::span<const int64_t> tokens, int64_t vocabulary) {
  for (const int64_t token : tokens)
    if (token < 0 || token >= vocabulary)
      return Error{"token " + std::to_string(token) + " of the prompt is outside the vocabulary of " +
                   std::to_string(vocabulary)};
  return {};
}

/// Numbers between spaces or commas.
static Expected<std::vector<int64_t>> parseTokens(const std::string &text) {
  constexpr std::string_view separators = ", \t\r\n";
  std::vector<int64_t> tokens;
  for (size_t begin = 0; (begin = text.find_first_not_of(separators, begin)) != std::string::npos;) {
    const size_t end = std::min(text.find_first_of(separators, begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    if (word.size() > 18 || word.find_first_not_of("0123456789") != std::string::npos)
      return Error{"'" + word + "' in the prompt is not a token id; --tokens takes numbers"};
    tokens.push_back(std::strtoll(word.c_str(), nullptr, 10));
    begin = end;
  }
  return tokens;
}

static std::string printTokens(std::span<const int64_t> tokens) {
  std::string text;
  for (const int64_t token : tokens)
    text += (text.empty() ? "" : " ") + std::to_string(token);
  return text;
}

static Expected<Prompt> numberPrompt(const std::string &text) {
  Expected<std::vector<int64_t>> tokens = parseTokens(text);
  if (!tokens)
    return tokens.error();
  return Prompt{printTokens(*tokens), std::move(*tokens)};
}

static Expected<Prompt> textPrompt(std::string text, const tokenizer::Tokenizer &tokenizer) {
  Expected<std::vector<int64_t>> tokens = tokenizer.encode(text);
  if (!tokens)
    return tokens.error();
  if (const std::optional<int64_t> begin = tokenizer.beginToken())
    tokens->insert(tokens->begin(), *begin);
  return Prompt{std::move(text), std::move(*tokens)};
}

Expected<Prompt> encodePrompt(std::string text, const tokenizer::Tokenizer *tokenizer, int64_t vocabulary) {
  Expected<Prompt> prompt = tokenizer ? textPrompt(std::move(text), *tokenizer) : numberPrompt(text);
  if (prompt)
    if (Status checked = checkTokens(prompt->tokens, vocabulary); !checked)
      return checked.error();
  return prompt;
}

Expected<std::vector<Prompt>> readPrompts(const std::string &path, const std::string &separator,
                                          const tokenizer::Tokenizer *tokenizer, int64_t vocabulary, int64_t context) {
  const Expected<io::MappedFile> file = io::MappedFile::open(path);
  if (!file)
    return file.error();
  const std::string_view text(reinterpret_cast<const char *>(file->bytes().data()), file->size());
  std::vector<Prompt> prompts;
  for (const std::string_view part : evaluate::documents(text, separator.empty() ? "\n" : separator)) {
    Expected<Prompt> prompt = encodePrompt(std::string(part), tokenizer, vocabulary);
    const Status fits = prompt ? checkPrompt(prompt->tokens, context) : prompt.error();
    if (!fits)
      return Error{path + ": prompt " + std::to_string(prompts.size() + 1) + ": " + fits.error().message};
    prompts.push_back(std::move(*prompt));
  }
  if (prompts.empty())
    return Error{path + ": holds no prompt"};
  return prompts;
}

} // namespace halftone::runtime
