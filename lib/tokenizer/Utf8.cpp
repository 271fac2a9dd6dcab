// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Validity as Unicode defines it (table 3-7): no surrogates, nothing above U+10FFFF, no longer spelling than needed.
#include "lib/tokenizer/Utf8.h"

#include <algorithm>
#include <cstdint>

namespace halftone::tokenizer {

// The bytes that may follow each lead byte: all later ones are 80..BF, the second one has its own range.
static constexpr struct {
  uint8_t firstLead, lastLead, firstSecond, lastSecond, length;
} sequences[] = {
    {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

struct Match {
  size_t length; // of the whole sequence; 0 when no sequence begins this way
  size_t present;
};

static Match match(std::string_view text) {
  const auto byte = [&](size_t place) { return static_cast<uint8_t>(text[place]); };
  if (text.empty())
    return {0, 0};
  for (const auto &sequence : sequences) {
    if (byte(0) < sequence.firstLead || byte(0) > sequence.lastLead)
      continue;
    const size_t present = std::min<size_t>(text.size(), sequence.length);
    for (size_t place = 1; place < present; ++place)
      if (byte(place) < (place == 1 ? sequence.firstSecond : 0x80) ||
          byte(place) > (place == 1 ? sequence.lastSecond : 0xbf))
        return {0, 0};
    return {sequence.length, present};
  }
  return {0, 0};
}

size_t validCharacter(std::string_view text) {
  const Match found = match(text);
  return found.present == found.length ? found.length : 0;
}

bool mayBecomeCharacter(std::string_view text) {
  const Match found = match(text);
  return found.present < found.length && found.present == text.size();
}

} // namespace halftone::tokenizer
