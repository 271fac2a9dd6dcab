// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Hashing and probing of the piece table.
#include "lib/tokenizer/PieceTable.h"

#include <algorithm>
#include <bit>

namespace halftone::tokenizer {

PieceTable::PieceTable(std::span<const Piece> pieces, size_t count)
    : pieces(pieces), slots(std::bit_ceil(std::max<size_t>(2 * count, 2)), absent) {}

// FNV-1a, 64 bits, folded: pieces are short, so a byte at a time is fast enough and spreads well.
static size_t hash(std::string_view text) {
  uint64_t value = 0xcbf29ce484222325;
  for (unsigned char byte : text)
    value = (value ^ byte) * 0x100000001b3;
  return static_cast<size_t>(value ^ (value >> 32));
}

// The slot that holds `text`, or the free one where it belongs. Ends because the table is never full.
size_t PieceTable::slotOf(std::string_view text) const {
  const size_t mask = slots.size() - 1;
  size_t slot = hash(text) & mask;
  while (slots[slot] != absent && pieces[slots[slot]].text != text)
    slot = (slot + 1) & mask;
  return slot;
}

bool PieceTable::insert(int32_t id) {
  const std::string_view text = pieces[id].text;
  int32_t &slot = slots[slotOf(text)];
  if (slot != absent)
    return false;
  slot = id;
  longest = std::max(longest, text.size());
  return true;
}

int32_t PieceTable::find(std::string_view text) const { return text.size() > longest ? absent : slots[slotOf(text)]; }

} // namespace halftone::tokenizer
