// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Separators, white space and tokens.
#include "lib/evaluate/Sequences.h"

#include "lib/io/MappedFile.h"

#include <algorithm>

namespace halftone::evaluate {

int64_t defaultLength(std::string_view separator, int64_t context) {
  return separator.empty() ? context : std::min<int64_t>(256, context);
}

static std::string_view strip(std::string_view text) {
  constexpr std::string_view space = " \t\n\v\f\r";
  const size_t first = text.find_first_not_of(space);
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(space) - first + 1);
}

std::vector<std::string_view> documents(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> found;
  while (true) {
    const size_t end = text.find(separator);
    if (const std::string_view document = strip(text.substr(0, end)); !document.empty())
      found.push_back(document);
    if (end == std::string_view::npos)
      return found;
    text.remove_prefix(end + separator.size());
  }
}

/// Appends the window that scores at most `length` tokens of `tokens` from `next` on; returns where the next one
/// begins.
static size_t appendWindow(std::span<const int64_t> tokens, size_t next, int64_t length, std::optional<int64_t> begin,
                           std::vector<Sequence> &result) {
  const std::span<const int64_t> scored =
      tokens.subspan(next, std::min(tokens.size() - next, static_cast<size_t>(length)));
  Sequence window{{begin ? *begin : tokens[next - 1]}};
  window.tokens.insert(window.tokens.end(), scored.begin(), scored.end());
  result.push_back(std::move(window));
  return next + scored.size();
}

Expected<std::vector<Sequence>> cutText(std::string_view text, const Cut &cut, const tokenizer::Tokenizer &tokenizer) {
  const bool isWindows = cut.separator.empty();
  const std::optional<int64_t> begin = tokenizer.beginToken();
  std::vector<Sequence> result;
  for (const std::string_view part : isWindows ? std::vector{text} : documents(text, cut.separator)) {
    const Expected<std::vector<int64_t>> tokens = tokenizer.encode(part);
    if (!tokens)
      return tokens.error();
    size_t next = begin ? 0 : 1;
    while (next < tokens->size()) {
      next = appendWindow(*tokens, next, cut.length, begin, result);
      if (!isWindows)
        break;
    }
  }
  return result;
}

Expected<std::vector<Sequence>> sequences(std::string_view text, const Cut &cut,
                                          const tokenizer::Tokenizer &tokenizer) {
  Expected<std::vector<Sequence>> result = cutText(text, cut, tokenizer);
  if (result && result->empty())
    return Error{
        "no token to score: the text has " + std::to_string(text.size()) + " bytes" +
        (cut.separator.empty() || !documents(text, cut.separator).empty() ? "" : ", no document that is not empty")};
  return result;
}

Expected<std::vector<Sequence>> readSequences(const std::string &path, const Cut &cut,
                                              const tokenizer::Tokenizer &tokenizer) {
  const Expected<io::MappedFile> file = io::MappedFile::open(path);
  if (!file)
    return file.error();
  const std::string_view text(reinterpret_cast<const char *>(file->bytes().data()), file->size());
  auto found = sequences(text, cut, tokenizer);
  if (!found)
    return Error{path + ": " + found.error().message};
  return found;
}

} // namespace halftone::evaluate
