// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What must be escaped, is, by its number.
#include "lib/json/Quote.h"

#include "lib/tokenizer/Utf8.h"

#include <algorithm>
#include <cstdio>

namespace halftone::json {

static std::string escape(char character) {
  char text[8];
  std::snprintf(text, sizeof text, "\\u%04x", static_cast<unsigned>(character));
  return text;
}

std::string quote(std::string_view text) {
  std::string result = "\"";
  while (!text.empty()) {
    const size_t size = tokenizer::validCharacter(text);
    const char lead = text.front();
    if (size == 0)
      result += tokenizer::replacementCharacter;
    else if (size == 1 && (lead < 0x20 || lead == '"' || lead == '\\'))
      result += escape(lead);
    else
      result += text.substr(0, size);
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  return result + "\"";
}

} // namespace halftone::json
