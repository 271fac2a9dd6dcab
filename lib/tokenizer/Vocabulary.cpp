// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Indexing of the pieces, after SentencePiece's ModelInterface::InitializePieces.
#include "lib/tokenizer/Vocabulary.h"

#include <algorithm>

namespace halftone::tokenizer {

static bool isOrdinary(const Piece &piece) {
  return piece.type == PieceType::normal || piece.type == PieceType::userDefined || piece.type == PieceType::unused;
}

std::vector<int32_t> Vocabulary::ordinaryIds() const {
  std::vector<int32_t> ids;
  for (size_t id = 0; id < content.pieces.size(); ++id)
    if (isOrdinary(content.pieces[id]))
      ids.push_back(static_cast<int32_t>(id));
  return ids;
}

std::vector<int32_t> Vocabulary::idsOfType(PieceType type) const {
  std::vector<int32_t> ids;
  for (size_t id = 0; id < content.pieces.size(); ++id)
    if (content.pieces[id].type == type)
      ids.push_back(static_cast<int32_t>(id));
  return ids;
}

Vocabulary::Vocabulary(SentencePieceModel model, size_t ordinaryCount)
    : content(std::move(model)), ordinaryPieces(content.pieces, ordinaryCount),
      reservedPieces(content.pieces, content.pieces.size() - ordinaryCount) {}

Expected<Vocabulary> Vocabulary::create(SentencePieceModel model) {
  const size_t ordinaryCount = std::count_if(model.pieces.begin(), model.pieces.end(), isOrdinary);
  Vocabulary vocabulary(std::move(model), ordinaryCount);
  for (size_t id = 0; id < vocabulary.content.pieces.size(); ++id) {
    const Piece &piece = vocabulary.content.pieces[id];
    PieceTable &table = isOrdinary(piece) ? vocabulary.ordinaryPieces : vocabulary.reservedPieces;
    if (!table.insert(static_cast<int32_t>(id)))
      return Error{"pieces " + std::to_string(table.find(piece.text)) + " and " + std::to_string(id) +
                   " have the same text, '" + std::string(piece.text) + "'"};
  }
  vocabulary.userDefinedPieces = Trie(vocabulary.content.pieces, vocabulary.idsOfType(PieceType::userDefined));
  return vocabulary;
}

int32_t Vocabulary::idOf(std::string_view text) const {
  if (const int32_t reserved = reservedPieces.find(text); reserved != PieceTable::absent)
    return reserved;
  if (const int32_t found = ordinary(text); found != PieceTable::absent)
    return found;
  return static_cast<int32_t>(content.unknownId);
}

} // namespace halftone::tokenizer
