// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a SentencePiece file says: its pieces and the parts of its specification that change how text is cut.
// Source: sentencepiece_model.proto, messages ModelProto, TrainerSpec, NormalizerSpec.
#pragma once

#include "lib/io/Result.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace halftone::tokenizer {

/// Values are those of the file.
enum class PieceType : uint8_t { normal = 1, unknown = 2, control = 3, userDefined = 4, unused = 5, byte = 6 };
enum class Algorithm : uint8_t { unigram = 1, bpe = 2 };

/// One entry of the vocabulary; its id is its place.
struct Piece {
  std::string_view text;
  float score = 0;
  PieceType type = PieceType::normal;
};

/// How text is rewritten before it is cut, with the defaults of the schema.
struct NormalizerSpec {
  std::string_view charsmap;
  bool addDummyPrefix = true;
  bool removeExtraWhitespaces = true;
  bool escapeWhitespaces = true;
  /// The dummy prefix goes to the end instead; stands in TrainerSpec.
  bool whitespaceAsSuffix = false;
};

/// A file's content; texts point into the file's bytes.
struct SentencePieceModel {
  std::vector<Piece> pieces;
  Algorithm algorithm = Algorithm::unigram;
  bool byteFallback = false;
  std::string_view beginPiece = "<s>";
  std::string_view endPiece = "</s>";
  std::string_view unknownSurface = " \xE2\x81\x87 "; // U+2047, DOUBLE QUESTION MARK
  NormalizerSpec normalizer;
  int64_t unknownId = -1;
};

/// The byte a BYTE piece stands for, spelled <0x00> .. <0xFF>; none for any other text.
std::optional<uint8_t> byteOfPiece(std::string_view text);

/// Reads and checks a file: both specifications are there, every piece has a text and a finite score, exactly one is
/// unknown, and byte pieces are there exactly when byte fallback is on, all 256 of them. Errors name the byte offset,
/// or the piece.
Expected<SentencePieceModel> readSentencePieceModel(std::string_view bytes);

} // namespace halftone::tokenizer
