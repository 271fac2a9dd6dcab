// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How far the compiler is, on stderr: one line that is written anew on a terminal, plain lines elsewhere.
#pragma once

#include "lib/io/ProgressLine.h"
#include "passes/Pipeline.h"

#include <span>
#include <string>

namespace halftone::tool {

class Display : public Progress {
public:
  Display();

  void begin(Stage stage) override;
  void advance(Stage stage, uint64_t done, uint64_t total, const std::string &what) override;
  void warn(const std::string &message) override;
  void note(const std::string &message) override;
  Status print(std::string_view text) override;

  /// Shows what is being done where there are no stages.
  void say(const std::string &text) { line.begin(text); }
  /// How far that is.
  void advance(const std::string &text, uint64_t done, uint64_t total) { line.advance(text, done, total); }

  /// Takes the line away, so that other text can follow.
  void clear() { line.clear(); }

private:
  io::ProgressLine line;
};

/// The most memory that this process has had.
int64_t peakBytes();

/// What each stage cost, and the whole: the last lines that the user sees.
std::string table(std::span<const StageReport> reports);

} // namespace halftone::tool
