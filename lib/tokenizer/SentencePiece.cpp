// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Normalize, cut, name the ids; and back. After SentencePiece's sentencepiece_processor.cc.
#include "lib/tokenizer/SentencePiece.h"

#include "lib/tokenizer/Bpe.h"
#include "lib/tokenizer/Normalizer.h"
#include "lib/tokenizer/Unigram.h"

#include <array>

namespace halftone::tokenizer {

namespace {

class SentencePiece : public Tokenizer {
public:
  explicit SentencePiece(Vocabulary vocabulary);
  Status initialize();

  int64_t vocabularySize() const override { return static_cast<int64_t>(vocabulary.model().pieces.size()); }
  std::optional<int64_t> beginToken() const override { return controlPiece(vocabulary.model().beginPiece); }
  std::optional<int64_t> endToken() const override { return controlPiece(vocabulary.model().endPiece); }
  Expected<std::vector<int64_t>> encode(std::string_view text) const override;
  Status decode(int64_t id, DecodeState &state, std::string &bytes) const override;

private:
  std::optional<int64_t> controlPiece(std::string_view text) const;
  void appendIds(const Segment &segment, bool afterUnknown, std::vector<int64_t> &ids) const;
  void decodeText(std::string_view text, DecodeState &state, std::string &bytes) const;

  Vocabulary vocabulary;
  std::optional<Normalizer> normalizer;
  std::unique_ptr<Segmenter> segmenter;
  std::array<int32_t, 256> byteIds{};
};

} // namespace

SentencePiece::SentencePiece(Vocabulary given) : vocabulary(std::move(given)) {
  for (size_t id = 0; id < vocabulary.model().pieces.size(); ++id)
    if (const Piece &piece = vocabulary.piece(id); piece.type == PieceType::byte)
      byteIds[*byteOfPiece(piece.text)] = static_cast<int32_t>(id);
  if (vocabulary.model().algorithm == Algorithm::bpe)
    segmenter = std::make_unique<Bpe>(vocabulary);
  else
    segmenter = std::make_unique<Unigram>(vocabulary);
}

Status SentencePiece::initialize() {
  Expected<Normalizer> created = Normalizer::create(vocabulary.model().normalizer, vocabulary.userDefined());
  if (!created)
    return created.error();
  normalizer.emplace(std::move(*created));
  return {};
}

std::optional<int64_t> SentencePiece::controlPiece(std::string_view text) const {
  const int32_t id = vocabulary.idOf(text);
  return vocabulary.piece(id).type == PieceType::control ? std::optional<int64_t>(id) : std::nullopt;
}

// An unknown stretch becomes its bytes when the model has byte pieces, else one unknown id for all unknown neighbours
// together.
void SentencePiece::appendIds(const Segment &segment, bool afterUnknown, std::vector<int64_t> &ids) const {
  const bool isUnknown = segment.id == vocabulary.model().unknownId;
  if (isUnknown && vocabulary.model().byteFallback) {
    for (char byte : segment.text)
      ids.push_back(byteIds[static_cast<uint8_t>(byte)]);
  } else if (!isUnknown || !afterUnknown) {
    ids.push_back(segment.id);
  }
}

Expected<std::vector<int64_t>> SentencePiece::encode(std::string_view text) const {
  // Places in the text are 32-bit while cutting, and normalizing may triple it.
  constexpr size_t limit = size_t(1) << 30;
  const std::string normalized = text.size() > limit ? std::string() : normalizer->normalize(text);
  if (text.size() > limit || normalized.size() > 2 * limit - 1)
    return Error{"a text of " + std::to_string(text.size()) +
                 " bytes is too long to tokenize in one piece; the limit is " + std::to_string(limit)};
  std::vector<int64_t> ids;
  bool afterUnknown = false;
  for (const Segment &segment : segmenter->segment(normalized)) {
    appendIds(segment, afterUnknown, ids);
    afterUnknown = segment.id == vocabulary.model().unknownId;
  }
  return ids;
}

// The space that encoding put in front of the text is taken away again; where encoding drops all leading spaces, so
// does decoding.
void SentencePiece::decodeText(std::string_view text, DecodeState &state, std::string &bytes) const {
  const NormalizerSpec &spec = vocabulary.model().normalizer;
  bool droppedPrefix = false;
  if (state.atStart && (spec.addDummyPrefix || spec.removeExtraWhitespaces) && text.starts_with(spaceSymbol)) {
    text.remove_prefix(spaceSymbol.size());
    droppedPrefix = !spec.removeExtraWhitespaces;
  }
  const size_t before = bytes.size();
  for (size_t symbol; (symbol = text.find(spaceSymbol)) != std::string_view::npos;) {
    bytes.append(text.substr(0, symbol)).push_back(' ');
    text.remove_prefix(symbol + spaceSymbol.size());
  }
  bytes.append(text);
  state.atStart = state.atStart && !droppedPrefix && bytes.size() == before;
}

Status SentencePiece::decode(int64_t id, DecodeState &state, std::string &bytes) const {
  if (id < 0 || id >= vocabularySize())
    return Error{"token " + std::to_string(id) + " is not in the tokenizer's vocabulary of " +
                 std::to_string(vocabularySize())};
  const Piece &piece = vocabulary.piece(static_cast<int32_t>(id));
  switch (piece.type) {
  case PieceType::control:
    return {};
  case PieceType::unknown:
    bytes.append(vocabulary.model().unknownSurface);
    state.atStart = false;
    return {};
  case PieceType::byte:
    bytes.push_back(static_cast<char>(*byteOfPiece(piece.text)));
    state.atStart = false;
    return {};
  default:
    decodeText(piece.text, state, bytes);
    return {};
  }
}

Expected<std::unique_ptr<Tokenizer>> readSentencePiece(std::string_view bytes) {
  Expected<SentencePieceModel> model = readSentencePieceModel(bytes);
  if (!model)
    return model.error();
  Expected<Vocabulary> vocabulary = Vocabulary::create(std::move(*model));
  if (!vocabulary)
    return vocabulary.error();
  auto tokenizer = std::make_unique<SentencePiece>(std::move(*vocabulary));
  if (Status status = tokenizer->initialize(); !status)
    return status.error();
  return std::unique_ptr<Tokenizer>(std::move(tokenizer));
}

} // namespace halftone::tokenizer
