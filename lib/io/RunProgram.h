// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Another program, run to its end and listened to meanwhile.
#pragma once

#include "lib/io/Result.h"

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace halftone::io {

/// Takes a line of a program's standard output, without its newline. An error ends the program.
using TakeLine = std::function<Status(std::string_view line)>;

/// What a program took until it ended.
struct ProgramCost {
  double seconds = 0;
  uint64_t peakBytes = 0; ///< of memory, with what it shares of files
};

/// Runs the program `path`, with nothing on its standard input, and returns when it has ended. A program whose reader
/// goes away, because this process was killed, meets a closed pipe. Fails with the error of `take`, and, naming the
/// program, when it cannot be run, dies, or ends with another status than 0; that error ends with the last line of its
/// standard error.
Status runProgram(const std::string &path, std::span<const std::string> arguments, const TakeLine &take,
                  ProgramCost *cost = nullptr);

} // namespace halftone::io
