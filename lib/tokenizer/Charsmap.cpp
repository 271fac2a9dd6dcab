// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Walks the double array: a node's child along byte b stands at (node's place ^ node's offset) ^ b and carries b as its
// label.
#include "lib/tokenizer/Charsmap.h"

#include <string>

namespace halftone::tokenizer {

static uint32_t littleEndian(std::string_view bytes) {
  uint32_t value = 0;
  for (int index = 3; index >= 0; --index)
    value = value << 8 | static_cast<uint8_t>(bytes[index]);
  return value;
}

// A unit of 32 bits: bits 0..7 the label and bit 31 set on leaves, bit 8 "a leaf follows", bits 10..30 the offset, bit
// 9 its scale.
static bool hasLeaf(uint32_t unit) { return unit >> 8 & 1; }
static uint32_t labelOf(uint32_t unit) { return unit & 0x800000ff; }
static uint32_t offsetOf(uint32_t unit) { return (unit >> 10) << ((unit & 0x200) >> 6); }
static uint32_t valueOf(uint32_t unit) { return unit & 0x7fffffff; }

Expected<Charsmap> Charsmap::read(std::string_view blob) {
  Charsmap map;
  if (blob.empty())
    return map;
  const uint64_t size = blob.size() > 4 ? littleEndian(blob) : 0;
  if (blob.size() <= 4 || size >= blob.size() - 4 || size % 4 != 0)
    return Error{"precompiled_charsmap of " + std::to_string(blob.size()) + " bytes cannot hold a double array of " +
                 std::to_string(size)};
  map.units = blob.substr(4, size);
  map.replacements = blob.substr(4 + size);
  return map;
}

std::optional<uint32_t> Charsmap::unitAt(uint32_t place) const {
  if (place >= units.size() / 4)
    return std::nullopt;
  return littleEndian(units.substr(size_t(place) * 4, 4));
}

std::optional<Charsmap::Rule> Charsmap::longestRule(std::string_view text) const {
  std::optional<Rule> longest;
  std::optional<uint32_t> unit = unitAt(0);
  if (!unit)
    return longest;
  uint32_t place = offsetOf(*unit);
  for (size_t length = 1; length <= text.size(); ++length) {
    const auto byte = static_cast<uint8_t>(text[length - 1]);
    place ^= byte;
    unit = unitAt(place);
    if (!unit || labelOf(*unit) != byte)
      break;
    place ^= offsetOf(*unit);
    if (!hasLeaf(*unit))
      continue;
    const std::optional<uint32_t> leaf = unitAt(place);
    if (!leaf || valueOf(*leaf) >= replacements.size())
      break;
    const std::string_view rest = replacements.substr(valueOf(*leaf));
    longest = Rule{length, rest.substr(0, rest.find('\0'))};
  }
  return longest;
}

} // namespace halftone::tokenizer
