// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names of formats, both ways, and their hash.
#include "lib/formats/Format.h"
#include "lib/formats/Table.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

namespace halftone::formats {

static constexpr std::string_view wholeRow = "row";
static constexpr std::string_view asymmetric = "asym";

std::string name(const Code &code) {
  switch (code.kind) {
  case Code::Kind::Float:
    return std::string(scalarName(code.scalar));
  case Code::Kind::Integer:
    return "int" + std::to_string(code.bits);
  case Code::Kind::Codebook:
    return std::string(code.codebook->name);
  }
  return {};
}

std::string name(const Format &format) {
  std::string text = name(format.code);
  if (format.isPlain())
    return text;
  text += "-" + (format.block == 0 ? std::string(wholeRow) : "g" + std::to_string(format.block));
  if (format.zeroPoint)
    text += "-" + std::string(asymmetric);
  if (format.scale != Format().scale)
    text += "-" + std::string(scalarName(format.scale));
  return text;
}

/// The parts of a name, and how far it is read.
namespace {
struct Parts {
  std::vector<std::string_view> parts;
  size_t next = 0;

  explicit Parts(std::string_view text) {
    size_t dash;
    while ((dash = text.find('-')) != std::string_view::npos) {
      parts.push_back(text.substr(0, dash));
      text.remove_prefix(dash + 1);
    }
    parts.push_back(text);
  }

  bool empty() const { return next == parts.size(); }
  std::string_view peek() const { return empty() ? std::string_view() : parts[next]; }
  bool take(std::string_view word) { return !empty() && parts[next] == word ? (++next, true) : false; }
};
} // namespace

/// `row` is 0, `g32` is 32; nothing for what is no block. Leading zeros would give a format a second name.
static std::optional<int64_t> parseBlock(std::string_view text) {
  if (text == wholeRow)
    return 0;
  if (text.size() < 2 || text[0] != 'g' || text[1] == '0')
    return std::nullopt;
  int64_t block = 0;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), block);
  if (error != std::errc() || end != text.data() + text.size() || block < 1 || block > maxBlock)
    return std::nullopt;
  return block;
}

static Error unknown(std::string_view text, const std::string &reason) {
  return {"unknown format '" + std::string(text) + "': " + reason + "; allowed are " + allowedNames()};
}

Expected<Format> parse(std::string_view text) {
  Parts parts(text);
  const Element *element = findElement(parts.parts[parts.next++]);
  if (!element)
    return unknown(text, "no element is called '" + std::string(parts.parts[0]) + "'");
  Format format{.code = element->code};
  if (!format.isPlain()) {
    const std::optional<int64_t> block = parseBlock(parts.peek());
    if (!block)
      return unknown(text, "'" + std::string(parts.peek()) + "' is no block");
    format.block = *block;
    ++parts.next;
    format.zeroPoint = element->mayHaveZeroPoint && parts.take(asymmetric);
    const auto *scale = std::ranges::find(allScalars, parts.peek(), scalarName);
    if (scale != std::end(allScalars) && *scale != format.scale) {
      format.scale = *scale;
      ++parts.next;
    }
  }
  if (!parts.empty())
    return unknown(text, "'" + std::string(parts.peek()) + "' has no place here");
  return format;
}

Status check(const Format &format) {
  const Element *element = findElement(format.code);
  const Format plain{.code = format.code};
  if (!element)
    return Error{"no format has the element '" + name(format.code) + "'; allowed are " + allowedNames()};
  if (format.isPlain() && format != plain)
    return Error{"'" + name(format.code) + "' stores values: it takes no block, no scale type and no zero point"};
  if (format.block < 0 || format.block > maxBlock)
    return Error{"block " + std::to_string(format.block) + " is not 1.." + std::to_string(maxBlock) +
                 ", nor 0 for a whole row"};
  if (format.zeroPoint && !element->mayHaveZeroPoint)
    return Error{"'" + name(format.code) + "' takes no zero point"};
  return {};
}

size_t hash_value(const Format &format) {
  // FNV-1a over the name: every format has exactly one, and it holds no address.
  uint64_t hash = 0xcbf29ce484222325;
  for (char character : name(format))
    hash = (hash ^ static_cast<unsigned char>(character)) * 0x100000001b3;
  return hash;
}

} // namespace halftone::formats
