// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A program whose speed is measured, one run at a time.
#pragma once

#include "tools/halftone/Executable.h"

#include <map>

namespace halftone::tool {

/// What is measured: tokens decoded one by one after `depth` tokens, and tokens read in chunks into an empty cache.
struct Course {
  int64_t decode = 128, depth = 1, prefill = 256;
};

/// One run. What a program does not tell is missing.
struct Lap {
  double decode = 0, prefill = 0;           ///< tokens a second
  std::optional<double> firstToken;         ///< seconds from the start of the process to the logits of one token
  uint64_t peakBytes = 0;                   ///< of memory, with what is mapped of files
  std::optional<double> memory;             ///< bytes a second that the machine reads, in the same minute
  std::optional<double> bytesPerToken;      ///< of weights, when decoding
  std::map<std::string, double> peaks;      ///< operations a second by instruction
  std::optional<double> operationsPerToken; ///< of prefill
};

class Contestant {
public:
  virtual ~Contestant() = default;
  /// Runs once. Fails, naming the program, when it dies or says nothing that can be read.
  virtual Expected<Lap> run(const Course &course, int64_t threads) = 0;
};

/// An executable that halftone compiled.
std::unique_ptr<Contestant> contestant(Executable executable);

/// A program with the options and the JSON of llama-bench: `command` is its path and options, separated by spaces, to
/// which threads, tokens and form are added. Fails when there is no such program.
Expected<std::unique_ptr<Contestant>> peer(std::string_view command);

} // namespace halftone::tool
