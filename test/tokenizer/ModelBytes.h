// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes SentencePiece files by hand, so that each test sees the whole model it works on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace halftone::tokenizer::test {

std::string varint(uint64_t value);
/// Fields of the wire format: a number, a float, bytes.
std::string numberField(uint32_t number, uint64_t value);
std::string floatField(uint32_t number, float value);
std::string bytesField(uint32_t number, std::string_view bytes);

/// One entry of ModelProto.pieces. Types: 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte.
std::string piece(std::string_view text, float score, int type = 1);
/// <unk>, <s> and </s>, as most models begin.
std::string reservedPieces();
/// All 256 byte pieces, <0x00> first.
std::string bytePieces();
/// TrainerSpec with a model type (1 unigram, 2 BPE) and byte fallback.
std::string trainer(int modelType, bool byteFallback);
/// NormalizerSpec of Llama: a dummy prefix, nothing removed, no rules.
std::string keepingNormalizer();

} // namespace halftone::tokenizer::test
