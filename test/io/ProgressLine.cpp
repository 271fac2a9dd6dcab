// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What reaches a pipe; test/tools shows the terminal.
#include "lib/io/ProgressLine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace halftone::io {
namespace {

/// What `work` writes to a descriptor that is no terminal.
template <class Work> std::string written(Work work) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  ProgressLine line(ends[1]);
  work(line);
  close(ends[1]);
  std::string text(4096, '\0');
  text.resize(static_cast<size_t>(read(ends[0], text.data(), text.size())));
  close(ends[0]);
  return text;
}

TEST(ProgressLine, IsAPlainLineInAPipeAndNotRepeatedAtOnce) {
  EXPECT_EQ(written([](ProgressLine &line) {
              line.begin("reading");
              line.advance("reading 1/2", 1, 2);
              line.advance("reading 2/2", 2, 2);
              line.clear();
            }),
            "reading\n");
}

TEST(PeakMemory, IsThatOfThisProcess) { EXPECT_THAT(peakMemory(), testing::MatchesRegex("peak [1-9][0-9]* MB")); }

} // namespace
} // namespace halftone::io
