// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a program says, how it ends, and that it ends when nobody listens.
#include "lib/io/RunProgram.h"

#include "test/io/TemporaryFolder.h"

#include <gtest/gtest.h>

using namespace halftone;

namespace {

struct Heard {
  std::vector<std::string> lines;
  std::string error;
};

/// Runs a script; hears `most` lines of it.
Heard shell(const std::string &script, size_t most = SIZE_MAX) {
  Heard heard;
  const std::string arguments[] = {"-c", script};
  const Status done = io::runProgram("/bin/sh", arguments, [&](std::string_view line) -> Status {
    if (heard.lines.size() == most)
      return Error{"enough"};
    heard.lines.emplace_back(line);
    return {};
  });
  heard.error = done ? "" : done.error().message;
  return heard;
}

} // namespace

using Strings = std::vector<std::string>;

TEST(RunProgram, LinesComeWithoutTheirNewlinesAndTheLastMayLackOne) {
  EXPECT_EQ(shell("printf 'a\\n\\nb c'").lines, (Strings{"a", "", "b c"}));
  EXPECT_EQ(shell("").lines, Strings());
}

TEST(RunProgram, LinesLongerThanAPipeComeWhole) {
  const Heard heard = shell("head -c 300000 /dev/zero | tr '\\0' x; echo; echo y");
  ASSERT_EQ(heard.lines.size(), 2u);
  EXPECT_EQ(heard.lines[0], std::string(300000, 'x'));
}

TEST(RunProgram, BothStreamsMayFillWithoutADeadlock) {
  const Heard heard = shell("head -c 300000 /dev/zero | tr '\\0' e >&2; echo done");
  EXPECT_EQ(heard.lines, Strings{"done"});
  EXPECT_EQ(heard.error, "");
}

TEST(RunProgram, StandardInputIsEmpty) { EXPECT_EQ(shell("cat; echo end").lines, Strings{"end"}); }

TEST(RunProgram, AnotherStatusThanZeroIsAnErrorWithTheLastWords) {
  EXPECT_EQ(shell("exit 7").error, "/bin/sh: ended with status 7");
  EXPECT_EQ(shell("echo a >&2; echo 'model: error: no luck' >&2; exit 3").error,
            "/bin/sh: ended with status 3: no luck");
  EXPECT_EQ(shell("kill -SEGV $$").error, "/bin/sh: died: Segmentation fault");
}

TEST(RunProgram, AnErrorOfTheListenerEndsTheProgram) {
  const Heard heard = shell("while :; do echo x; done", 3);
  EXPECT_EQ(heard.error, "enough");
  EXPECT_EQ(heard.lines.size(), 3u);
}

TEST(RunProgram, WhatCannotBeRunIsNamed) {
  const test::TemporaryFolder folder;
  const auto ignore = [](std::string_view) { return Status(); };
  const std::string text = folder.write("text", "words");
  EXPECT_EQ(io::runProgram(text, {}, ignore).error().message, text + ": cannot be run: Permission denied");
  EXPECT_EQ(io::runProgram("/none", {}, ignore).error().message, "/none: cannot be run: No such file or directory");
}
