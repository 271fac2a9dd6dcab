// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A model's pieces with the three ways of finding one by its text, and what a way of cutting text needs of them.
#pragma once

#include "lib/tokenizer/PieceTable.h"
#include "lib/tokenizer/SentencePieceModel.h"
#include "lib/tokenizer/Trie.h"

#include <string_view>
#include <vector>

namespace halftone::tokenizer {

/// The pieces of a model, indexed. Movable: the indices point into the pieces' storage, not at this object.
class Vocabulary {
public:
  /// Fails when two pieces of one kind (ordinary, or reserved: control, unknown, byte) have the same text.
  static Expected<Vocabulary> create(SentencePieceModel model);

  const SentencePieceModel &model() const { return content; }
  const Piece &piece(int32_t id) const { return content.pieces[id]; }
  bool isUnused(int32_t id) const { return piece(id).type == PieceType::unused; }

  /// The ordinary piece spelled `text`: normal, user defined or unused. PieceTable::absent when there is none.
  int32_t ordinary(std::string_view text) const { return ordinaryPieces.find(text); }
  /// The piece spelled `text` of any type, reserved ones first; the unknown piece when there is none.
  int32_t idOf(std::string_view text) const;
  /// The symbols that are never cut.
  const Trie &userDefined() const { return userDefinedPieces; }
  /// Ids of all ordinary pieces.
  std::vector<int32_t> ordinaryIds() const;

private:
  Vocabulary(SentencePieceModel model, size_t ordinaryCount);
  std::vector<int32_t> idsOfType(PieceType type) const;

  SentencePieceModel content;
  PieceTable ordinaryPieces;
  PieceTable reservedPieces;
  Trie userDefinedPieces;
};

/// A stretch of normalized text and the piece it became.
struct Segment {
  std::string_view text;
  int32_t id;
};

/// A way of cutting normalized text into pieces. Const functions may be called from many threads.
class Segmenter {
public:
  virtual ~Segmenter() = default;
  /// The segments of `text` in order, without gaps; texts point into `text`, which is shorter than 2^31 bytes.
  virtual std::vector<Segment> segment(std::string_view text) const = 0;
};

} // namespace halftone::tokenizer
