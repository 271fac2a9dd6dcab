// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// JSON [RFC 8259] of a known shape, read from front to back: whoever reads says what must come next. Strict: what the
// grammar does not allow is an error, and so is a key that stands twice in an object. Nothing is kept, so that a file
// cannot take more memory or stack than its reader gives it.
#pragma once

#include "lib/io/Result.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace halftone::json {

/// Errors begin with the place: "byte 57: a string is wanted, found '5'".
class Reader {
public:
  /// \param text must outlive the reader.
  /// \param offset of the text in its file, for errors.
  explicit Reader(std::string_view text, uint64_t offset = 0) : text(text), offset(offset) {}

  /// An object: `member` is called at the value of each key, which it must read.
  Status object(const std::function<Status(const std::string &key)> &member);
  /// An array: `element` is called at each element, which it must read.
  Status array(const std::function<Status()> &element);
  /// A string without its quotes and escapes: valid UTF-8.
  Expected<std::string> string();
  /// A number without sign, fraction and exponent, below 2^64.
  Expected<uint64_t> unsignedInteger();
  /// Any number, as the nearest double; an error when it is too large or too small for one.
  Expected<double> number();
  /// Whether null comes next, which is then read.
  bool null();
  /// Nothing but white space is left.
  Status end();

private:
  std::string_view numberText();
  bool take(char wanted);
  Status appendCharacter(std::string &result);
  Status appendEscape(std::string &result);
  Expected<uint32_t> codeUnit();
  Expected<uint32_t> escapedCharacter();
  void skipSpace();
  std::string found() const;
  Error wanted(std::string_view what) const;
  Error errorAt(size_t at, std::string_view what) const;

  std::string_view text;
  uint64_t offset;
  size_t place = 0;
};

} // namespace halftone::json
