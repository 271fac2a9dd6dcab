// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bytes on their way to a terminal, a file or a pipe, and text that reaches it in whole characters only.
#pragma once

#include "lib/io/Result.h"

#include <string>
#include <string_view>

namespace halftone::runtime {

/// Cuts a stream of bytes into whole UTF-8 characters. A byte that belongs to none becomes U+FFFD.
class CharacterFilter {
public:
  /// Appends to `text` the characters that `bytes` completes; an incomplete one waits for its rest.
  void feed(std::string_view bytes, std::string &text);
  /// The end: what still waits will not be completed.
  void finish(std::string &text);

private:
  std::string waiting;
};

/// A file descriptor to write to, not owned.
class Output {
public:
  /// \param name what errors call it: "stdout".
  constexpr Output(int descriptor, const char *name) : descriptor(descriptor), name(name) {}

  /// Writes all bytes at once, without buffering. A reader that went away is no error: closed() tells, and writing goes
  /// nowhere.
  Status write(std::string_view bytes);
  bool closed() const { return readerGone; }
  bool isTerminal() const;

private:
  int descriptor;
  const char *name;
  bool readerGone = false;
};

/// Everything readable from `descriptor`; nothing when it is not open.
Expected<std::string> readAll(int descriptor, const char *name);

/// Whether both descriptors lead to the same terminal, file or pipe, where their output mixes.
bool sameDestination(int first, int second);

} // namespace halftone::runtime
