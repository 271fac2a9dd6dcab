// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which kind of tokenizer a file holds: one row per kind.
#include "lib/tokenizer/Tokenizer.h"

#include "lib/tokenizer/SentencePiece.h"

namespace halftone::tokenizer {

using Reader = Expected<std::unique_ptr<Tokenizer>> (*)(std::string_view);

static Expected<std::unique_ptr<Tokenizer>> refuseJson(std::string_view) {
  return Error{
      "byte 0: this is JSON (a tokenizer.json?), which is not read yet; give the SentencePiece file, tokenizer.model"};
}

static bool isJson(std::string_view bytes) {
  const size_t first = bytes.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && bytes[first] == '{';
}

// A SentencePiece model has no magic number; it begins with its first piece, field 1, a length-delimited message.
static bool isSentencePiece(std::string_view bytes) { return bytes.starts_with('\n') && !isJson(bytes); }

static constexpr struct {
  bool (*matches)(std::string_view);
  Reader read;
} kinds[] = {{isSentencePiece, readSentencePiece}, {isJson, refuseJson}};

Expected<std::unique_ptr<Tokenizer>> readTokenizer(std::string_view bytes) {
  for (const auto &kind : kinds)
    if (kind.matches(bytes))
      return kind.read(bytes);
  if (bytes.empty())
    return Error{"byte 0: the tokenizer file is empty"};
  return Error{"byte 0: not a SentencePiece model, which begins with byte 10; this file begins with byte " +
               std::to_string(static_cast<unsigned char>(bytes[0]))};
}

} // namespace halftone::tokenizer
