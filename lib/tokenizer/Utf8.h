// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// UTF-8 as far as cutting text into characters needs it; shared by the tokenizer and the runtime's output stream.
#pragma once

#include <cstddef>
#include <string_view>

namespace halftone::tokenizer {

/// U+FFFD, what stands for a byte that is not UTF-8.
inline constexpr std::string_view replacementCharacter = "\xEF\xBF\xBD";

/// Bytes of the character that begins with `lead`, judged by that byte alone; 1 for a byte that begins none.
inline size_t lengthFromLead(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

/// Bytes of the valid character that `text` begins with; 0 when it begins with none (also when it is empty or too
/// short).
size_t validCharacter(std::string_view text);

/// Whether `text`, one to three bytes that are no character, can become a valid one when more bytes follow.
bool mayBecomeCharacter(std::string_view text);

} // namespace halftone::tokenizer
