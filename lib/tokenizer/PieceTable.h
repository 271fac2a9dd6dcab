// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A hash table from the text of a piece to its id: what BPE asks for each pair of neighbours.
#pragma once

#include "lib/tokenizer/SentencePieceModel.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace halftone::tokenizer {

/// Open addressing with linear steps, at most half full. Built once, then only read; points into the pieces' texts.
class PieceTable {
public:
  static constexpr int32_t absent = -1;

  /// An empty table for `pieces` (which must outlive it), with room for `count` of them.
  PieceTable(std::span<const Piece> pieces, size_t count);

  /// Adds piece `id`. False when a piece of the same text is there already.
  bool insert(int32_t id);

  /// The id of the piece spelled `text`, or `absent`.
  int32_t find(std::string_view text) const;

private:
  size_t slotOf(std::string_view text) const;

  std::span<const Piece> pieces;
  std::vector<int32_t> slots;
  size_t longest = 0;
};

} // namespace halftone::tokenizer
