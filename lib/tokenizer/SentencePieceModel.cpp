// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Walks the four messages of a SentencePiece file and checks what the encoder relies on.
#include "lib/tokenizer/SentencePieceModel.h"

#include "lib/tokenizer/Wire.h"

#include <array>
#include <bit>
#include <cmath>

namespace halftone::tokenizer {

static Error atOffset(size_t offset, std::string message) {
  return Error{"byte " + std::to_string(offset) + ": " + std::move(message)};
}

// How a field of the schema is stored: its number, its wire type, and the setter of the struct it belongs to.
template <class Target> struct FieldRow {
  uint32_t number;
  WireType type;
  const char *name;
  Status (*set)(Target &, const Field &);
};

// Walks `message`, handing the fields in `rows` to their setters and skipping all others, as protobuf does.
template <class Target, size_t N>
static Status readMessage(std::string_view message, size_t offset, const FieldRow<Target> (&rows)[N], Target &target) {
  WireReader reader(message, offset);
  while (!reader.atEnd()) {
    Expected<Field> field = reader.next();
    if (!field)
      return field.error();
    for (const FieldRow<Target> &row : rows) {
      if (row.number != field->number)
        continue;
      if (Status status = expectType(*field, row.type, row.name); !status)
        return status;
      if (Status status = row.set(target, *field); !status)
        return status;
    }
  }
  return {};
}

template <auto member>
static constexpr auto setBytes = [](auto &target, const Field &field) -> Status {
  target.*member = field.bytes;
  return {};
};

template <auto member>
static constexpr auto setBool = [](auto &target, const Field &field) -> Status {
  target.*member = field.scalar != 0;
  return {};
};

static Status setScore(Piece &piece, const Field &field) {
  piece.score = std::bit_cast<float>(static_cast<uint32_t>(field.scalar));
  if (!std::isfinite(piece.score))
    return atOffset(field.offset, "the score of a piece is not finite");
  return {};
}

static Status setType(Piece &piece, const Field &field) {
  if (field.scalar < 1 || field.scalar > 6)
    return atOffset(field.offset, "a piece has type " + std::to_string(field.scalar) + ", known are 1 to 6");
  piece.type = static_cast<PieceType>(field.scalar);
  return {};
}

static constexpr FieldRow<Piece> pieceFields[] = {
    {1, WireType::bytes, "piece", setBytes<&Piece::text>},
    {2, WireType::fixed32, "score", setScore},
    {3, WireType::varint, "type", setType},
};

static Status setAlgorithm(SentencePieceModel &model, const Field &field) {
  if (field.scalar != 1 && field.scalar != 2)
    return atOffset(field.offset,
                    "model_type is " + std::to_string(field.scalar) + ", read are 1 (unigram) and 2 (BPE)");
  model.algorithm = static_cast<Algorithm>(field.scalar);
  return {};
}

static Status setWhitespaceAsSuffix(SentencePieceModel &model, const Field &field) {
  model.normalizer.whitespaceAsSuffix = field.scalar != 0;
  return {};
}

static constexpr FieldRow<SentencePieceModel> trainerFields[] = {
    {3, WireType::varint, "model_type", setAlgorithm},
    {24, WireType::varint, "treat_whitespace_as_suffix", setWhitespaceAsSuffix},
    {35, WireType::varint, "byte_fallback", setBool<&SentencePieceModel::byteFallback>},
    {44, WireType::bytes, "unk_surface", setBytes<&SentencePieceModel::unknownSurface>},
    {46, WireType::bytes, "bos_piece", setBytes<&SentencePieceModel::beginPiece>},
    {47, WireType::bytes, "eos_piece", setBytes<&SentencePieceModel::endPiece>},
};

static constexpr FieldRow<NormalizerSpec> normalizerFields[] = {
    {2, WireType::bytes, "precompiled_charsmap", setBytes<&NormalizerSpec::charsmap>},
    {3, WireType::varint, "add_dummy_prefix", setBool<&NormalizerSpec::addDummyPrefix>},
    {4, WireType::varint, "remove_extra_whitespaces", setBool<&NormalizerSpec::removeExtraWhitespaces>},
    {5, WireType::varint, "escape_whitespaces", setBool<&NormalizerSpec::escapeWhitespaces>},
};

// SentencePiece's own limit (kMaxPieceSize): it bounds the time and the recursion a text can cost.
static constexpr size_t longestPiece = 7999;

static Status addPiece(SentencePieceModel &model, const Field &field) {
  Piece piece;
  if (Status status = readMessage(field.bytes, field.bytesOffset, pieceFields, piece); !status)
    return status;
  if (piece.text.empty())
    return atOffset(field.offset, "piece " + std::to_string(model.pieces.size()) + " has no text");
  if (piece.text.size() > longestPiece)
    return atOffset(field.offset, "piece " + std::to_string(model.pieces.size()) + " has " +
                                      std::to_string(piece.text.size()) + " bytes, the most is " +
                                      std::to_string(longestPiece));
  model.pieces.push_back(piece);
  return {};
}

static Status readTrainerSpec(SentencePieceModel &model, const Field &field) {
  return readMessage(field.bytes, field.bytesOffset, trainerFields, model);
}

static Status readNormalizerSpec(SentencePieceModel &model, const Field &field) {
  return readMessage(field.bytes, field.bytesOffset, normalizerFields, model.normalizer);
}

static Status refuseDenormalizer(SentencePieceModel &, const Field &field) {
  NormalizerSpec spec;
  if (Status status = readMessage(field.bytes, field.bytesOffset, normalizerFields, spec); !status)
    return status;
  if (!spec.charsmap.empty())
    return atOffset(field.offset, "the model rewrites decoded text (denormalizer_spec), which is not supported");
  return {};
}

static constexpr FieldRow<SentencePieceModel> modelFields[] = {
    {1, WireType::bytes, "pieces", addPiece},
    {2, WireType::bytes, "trainer_spec", readTrainerSpec},
    {3, WireType::bytes, "normalizer_spec", readNormalizerSpec},
    {5, WireType::bytes, "denormalizer_spec", refuseDenormalizer},
};

static std::optional<uint8_t> hexDigit(char digit) {
  if (digit >= '0' && digit <= '9')
    return digit - '0';
  if (digit >= 'A' && digit <= 'F')
    return digit - 'A' + 10;
  return std::nullopt;
}

std::optional<uint8_t> byteOfPiece(std::string_view text) {
  if (text.size() != 6 || !text.starts_with("<0x") || !text.ends_with('>'))
    return std::nullopt;
  const std::optional<uint8_t> high = hexDigit(text[3]), low = hexDigit(text[4]);
  if (!high || !low)
    return std::nullopt;
  return *high * 16 + *low;
}

static Error atPiece(size_t id, const Piece &piece, const std::string &message) {
  return Error{"piece " + std::to_string(id) + " ('" + std::string(piece.text) + "'): " + message};
}

static Status checkUnknown(SentencePieceModel &model) {
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    if (model.pieces[id].type != PieceType::unknown)
      continue;
    if (model.unknownId >= 0)
      return atPiece(id, model.pieces[id],
                     "a second unknown piece, the first is piece " + std::to_string(model.unknownId));
    model.unknownId = static_cast<int64_t>(id);
  }
  if (model.unknownId < 0)
    return Error{"none of the " + std::to_string(model.pieces.size()) + " pieces is the unknown one"};
  return {};
}

static Status checkBytes(const SentencePieceModel &model) {
  std::array<bool, 256> found{};
  size_t count = 0;
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const Piece &piece = model.pieces[id];
    if (piece.type != PieceType::byte)
      continue;
    if (!model.byteFallback)
      return atPiece(id, piece, "a byte piece, although byte_fallback is false");
    const std::optional<uint8_t> byte = byteOfPiece(piece.text);
    if (!byte)
      return atPiece(id, piece, "a byte piece must be spelled <0x00> to <0xFF>");
    count += !found[*byte];
    found[*byte] = true;
  }
  if (model.byteFallback && count != 256)
    return Error{"byte_fallback needs 256 byte pieces, the model has " + std::to_string(count)};
  return {};
}

// A file cut between two fields is still a message; but the two specifications stand behind the pieces and are always
// written.
static Status checkWhole(std::string_view bytes) {
  bool trainer = false, normalizer = false;
  WireReader reader(bytes);
  while (!reader.atEnd()) {
    const Expected<Field> field = reader.next();
    trainer |= field && field->number == 2;
    normalizer |= field && field->number == 3;
  }
  if (trainer && normalizer)
    return {};
  return atOffset(bytes.size(), std::string("the file ends without a ") +
                                    (trainer ? "normalizer_spec" : "trainer_spec") + "; was it truncated?");
}

Expected<SentencePieceModel> readSentencePieceModel(std::string_view bytes) {
  SentencePieceModel model;
  if (Status status = readMessage(bytes, 0, modelFields, model); !status)
    return status.error();
  if (Status status = checkWhole(bytes); !status)
    return status.error();
  if (Status status = checkUnknown(model); !status)
    return status.error();
  if (Status status = checkBytes(model); !status)
    return status.error();
  return model;
}

} // namespace halftone::tokenizer
