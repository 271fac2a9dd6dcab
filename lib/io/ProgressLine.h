// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How far long work is: one line that is written anew on a terminal, a plain line now and then elsewhere. Also linked
// into the emitted binary: POSIX calls only.
#pragma once

#include <cstdint>
#include <string>

namespace halftone::io {

/// "document 12/70, 3 s left, peak 130 MB" on a descriptor, stderr as a rule.
class ProgressLine {
public:
  /// \param descriptor not owned.
  explicit ProgressLine(int descriptor);

  /// Work begins: starts its clock and shows `heading` at once.
  void begin(const std::string &heading);
  /// `done` of `total` items are done. Shown as `text`, the time left and the peak memory, unless something was shown a
  /// moment ago.
  void advance(const std::string &text, uint64_t done, uint64_t total);
  /// Takes the line away, so that other text can follow.
  void clear();

private:
  void show(const std::string &text);
  void write(const std::string &text);

  int descriptor;
  bool isTerminal;
  double started, lastShown; // seconds
};

/// "peak 130 MB": the most memory that this process, or one that it waited for, has had.
std::string peakMemory();

} // namespace halftone::io
