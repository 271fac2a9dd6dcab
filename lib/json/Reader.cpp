// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One function for each rule of the grammar.
#include "lib/json/Reader.h"

#include "lib/tokenizer/Utf8.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <unordered_set>

namespace halftone::json {

//===-- Objects and arrays ----------------------------------------------------------------------------------------===//

Status Reader::object(const std::function<Status(const std::string &key)> &member) {
  if (!take('{'))
    return wanted("an object");
  std::unordered_set<std::string> keys;
  bool isMore = !take('}');
  while (isMore) {
    skipSpace();
    const size_t start = place;
    const Expected<std::string> key = string();
    if (!key)
      return key.error();
    if (!keys.insert(*key).second)
      return errorAt(start, "the key '" + *key + "' stands twice in one object");
    if (!take(':'))
      return wanted("':'");
    if (Status read = member(*key); !read)
      return read;
    isMore = take(',');
    if (!isMore && !take('}'))
      return wanted("',' or '}'");
  }
  return {};
}

Status Reader::array(const std::function<Status()> &element) {
  if (!take('['))
    return wanted("an array");
  bool isMore = !take(']');
  while (isMore) {
    if (Status read = element(); !read)
      return read;
    isMore = take(',');
    if (!isMore && !take(']'))
      return wanted("',' or ']'");
  }
  return {};
}

Status Reader::end() {
  skipSpace();
  return place == text.size() ? Status() : wanted("the end");
}

//===-- Numbers ---------------------------------------------------------------------------------------------------===//

/// What may be a number and comes next; it is not read yet.
std::string_view Reader::numberText() {
  skipSpace();
  const size_t end = std::min(text.find_first_not_of("0123456789+-.eE", place), text.size());
  return text.substr(place, end - place);
}

Expected<uint64_t> Reader::unsignedInteger() {
  const std::string_view number = numberText();
  uint64_t value = 0;
  const auto [last, failed] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (failed == std::errc::result_out_of_range)
    return errorAt(place, "a number below 2^64 is wanted, found " + std::string(number.substr(0, 40)));
  if (failed != std::errc() || last != number.data() + number.size() || (number[0] == '0' && number.size() > 1))
    return wanted("a whole number without a sign");
  place += number.size();
  return value;
}

/// Whether `text` is a number of the grammar, which forbids a leading zero, and a point without digits on both sides.
static bool isNumber(std::string_view text) {
  const auto takeDigits = [&text] {
    const size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(count);
    return count != 0;
  };
  const auto take = [&text](std::string_view any) {
    const bool isThere = !text.empty() && any.find(text.front()) != std::string_view::npos;
    text.remove_prefix(isThere);
    return isThere;
  };
  take("-");
  if (!take("0") && !takeDigits())
    return false;
  if (take(".") && !takeDigits())
    return false;
  if (take("eE")) {
    take("+-");
    if (!takeDigits())
      return false;
  }
  return text.empty();
}

Expected<double> Reader::number() {
  const std::string_view number = numberText();
  if (!isNumber(number))
    return wanted("a number");
  double value = 0;
  const auto [last, failed] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (failed == std::errc::result_out_of_range)
    return errorAt(place, "a number that a double holds is wanted, found " + std::string(number.substr(0, 40)));
  place += number.size();
  return value;
}

bool Reader::null() {
  static constexpr std::string_view word = "null";
  skipSpace();
  if (!text.substr(place).starts_with(word))
    return false;
  place += word.size();
  return true;
}

//===-- Strings ---------------------------------------------------------------------------------------------------===//

Expected<std::string> Reader::string() {
  if (!take('"'))
    return wanted("a string");
  std::string result;
  while (place < text.size() && text[place] != '"')
    if (Status appended = appendCharacter(result); !appended)
      return appended.error();
  if (place == text.size())
    return wanted("'\"'");
  ++place;
  return result;
}

Status Reader::appendCharacter(std::string &result) {
  if (text[place] == '\\')
    return appendEscape(result);
  const size_t size = tokenizer::validCharacter(text.substr(place));
  if (size == 0)
    return errorAt(place, "not UTF-8");
  if (static_cast<unsigned char>(text[place]) < 0x20)
    return errorAt(place, "a control character in a string");
  result.append(text, place, size);
  place += size;
  return {};
}

static void appendUtf8(std::string &result, uint32_t character) {
  const auto put = [&](uint32_t byte) { result.push_back(static_cast<char>(byte)); };
  const auto putRest = [&](int shift) { put(0x80 | (character >> shift & 0x3f)); };
  if (character < 0x80)
    return put(character);
  if (character < 0x800) {
    put(0xc0 | character >> 6);
  } else if (character < 0x10000) {
    put(0xe0 | character >> 12);
    putRest(6);
  } else {
    put(0xf0 | character >> 18);
    putRest(12);
    putRest(6);
  }
  putRest(0);
}

Status Reader::appendEscape(std::string &result) {
  static constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
  const char letter = place + 1 < text.size() ? text[place + 1] : '\0';
  if (letter == 'u') {
    const Expected<uint32_t> character = escapedCharacter();
    if (!character)
      return character.error();
    appendUtf8(result, *character);
    return {};
  }
  const size_t known = letters.find(letter);
  if (known == std::string_view::npos)
    return errorAt(place, "not an escape");
  result.push_back(meanings[known]);
  place += 2;
  return {};
}

/// The four digits of an escape that begins at the reader's place.
Expected<uint32_t> Reader::codeUnit() {
  uint32_t value = 0;
  const std::string_view escape = text.substr(place, 6);
  if (escape.size() == 6 && escape.starts_with("\\u")) {
    const auto [last, failed] = std::from_chars(escape.data() + 2, escape.data() + 6, value, 16);
    if (failed == std::errc() && last == escape.data() + 6) {
      place += 6;
      return value;
    }
  }
  return errorAt(place, "not an escape");
}

/// One code unit, or two that are a surrogate pair.
Expected<uint32_t> Reader::escapedCharacter() {
  const size_t start = place;
  const Expected<uint32_t> high = codeUnit();
  if (!high || *high < 0xd800 || *high > 0xdfff)
    return high;
  const Expected<uint32_t> low = codeUnit();
  if (*high > 0xdbff || !low || *low < 0xdc00 || *low > 0xdfff)
    return errorAt(start, "half of a surrogate pair");
  return 0x10000 + ((*high - 0xd800) << 10) + (*low - 0xdc00);
}

//===-- Place and errors ------------------------------------------------------------------------------------------===//

void Reader::skipSpace() { place = std::min(text.find_first_not_of(" \t\r\n", place), text.size()); }

bool Reader::take(char wanted) {
  skipSpace();
  if (place == text.size() || text[place] != wanted)
    return false;
  ++place;
  return true;
}

std::string Reader::found() const {
  if (place == text.size())
    return "the end";
  const auto byte = static_cast<unsigned char>(text[place]);
  char hexadecimal[8];
  std::snprintf(hexadecimal, sizeof hexadecimal, "\\x%02x", byte);
  return byte < 0x20 || byte > 0x7e ? hexadecimal : std::string("'") + text[place] + "'";
}

Error Reader::wanted(std::string_view what) const {
  return errorAt(place, std::string(what) + " is wanted, found " + found());
}

Error Reader::errorAt(size_t at, std::string_view what) const {
  return Error{"byte " + std::to_string(offset + at) + ": " + std::string(what)};
}

} // namespace halftone::json
