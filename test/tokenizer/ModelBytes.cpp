// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The wire format, written: tags are number * 8 + type.
#include "test/tokenizer/ModelBytes.h"

#include <bit>
#include <cstdio>

namespace halftone::tokenizer::test {

std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7)
    bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

std::string numberField(uint32_t number, uint64_t value) { return varint(number * 8) + varint(value); }

std::string floatField(uint32_t number, float value) {
  std::string bytes = varint(number * 8 + 5);
  for (int shift = 0; shift < 32; shift += 8)
    bytes.push_back(static_cast<char>(std::bit_cast<uint32_t>(value) >> shift));
  return bytes;
}

std::string bytesField(uint32_t number, std::string_view bytes) {
  return varint(number * 8 + 2) + varint(bytes.size()) + std::string(bytes);
}

std::string piece(std::string_view text, float score, int type) {
  return bytesField(1, bytesField(1, text) + floatField(2, score) + numberField(3, type));
}

std::string reservedPieces() { return piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3); }

std::string bytePieces() {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) {
    char text[8];
    std::snprintf(text, sizeof text, "<0x%02X>", byte);
    bytes += piece(text, 0, 6);
  }
  return bytes;
}

std::string trainer(int modelType, bool byteFallback) {
  return bytesField(2, numberField(3, modelType) + numberField(35, byteFallback));
}

std::string keepingNormalizer() { return bytesField(3, numberField(3, 1) + numberField(4, 0)); }

} // namespace halftone::tokenizer::test
