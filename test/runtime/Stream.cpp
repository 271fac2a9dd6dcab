// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Whole characters only, and writing to what is full, closed or slow.
#include "lib/runtime/Stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace halftone::runtime;
using testing::HasSubstr;

static std::vector<std::string> feedAll(const std::vector<std::string> &parts) {
  CharacterFilter filter;
  std::vector<std::string> shown;
  for (const std::string &part : parts) {
    shown.emplace_back();
    filter.feed(part, shown.back());
  }
  shown.emplace_back();
  filter.finish(shown.back());
  return shown;
}

using Parts = std::vector<std::string>;

TEST(CharacterFilter, ACharacterAppearsWhenItIsComplete) {
  EXPECT_EQ(feedAll({"a", "\xc3", "\xa9", "b"}), (Parts{"a", "", "é", "b", ""}));
  EXPECT_EQ(feedAll({"\xf0", "\x9f", "\x98", "\x80!"}), (Parts{"", "", "", "😀!", ""}));
  EXPECT_EQ(feedAll({"x\xe2\x96", "\x81y\xe2"}), (Parts{"x", "▁y", "\uFFFD"}));
}

TEST(CharacterFilter, BytesOfNoCharacterAreReplacedOneByOne) {
  EXPECT_EQ(feedAll({"\xff", "\x80", "a"}), (Parts{"\uFFFD", "\uFFFD", "a", ""}));
  EXPECT_EQ(feedAll({"\xe2\x96", "a"}), (Parts{"", "\uFFFD\uFFFDa", ""}));                 // known wrong only now
  EXPECT_EQ(feedAll({"\xed", "\xa0", "\x80"}), (Parts{"", "\uFFFD\uFFFD", "\uFFFD", ""})); // a surrogate
  EXPECT_EQ(feedAll({"\xe2", "\xe2\x96\x81"}), (Parts{"", "\uFFFD▁", ""}));
}

TEST(CharacterFilter, WhatIsIncompleteAtTheEndIsReplaced) {
  EXPECT_EQ(feedAll({"\xf0\x9f\x98"}), (Parts{"", "\uFFFD\uFFFD\uFFFD"}));
}

TEST(CharacterFilter, AnySplitOfValidTextGivesTheText) {
  const std::string text = "aé▁😀 漢字\n";
  for (size_t size = 1; size <= text.size(); ++size) {
    CharacterFilter filter;
    std::string shown;
    for (size_t place = 0; place < text.size(); place += size)
      filter.feed(text.substr(place, size), shown);
    EXPECT_EQ(shown, text) << size;
  }
}

TEST(Output, AReaderThatLeftIsNoErrorButClosed) {
  signal(SIGPIPE, SIG_IGN);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  Output output(ends[1], "stdout");
  EXPECT_TRUE(output.write("x"));
  EXPECT_FALSE(output.closed());
  close(ends[0]);
  EXPECT_TRUE(output.write("y"));
  EXPECT_TRUE(output.closed());
  EXPECT_TRUE(output.write("z"));
  close(ends[1]);
}

TEST(Output, AFullDiskIsAnError) {
  const int full = open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  Output output(full, "stdout");
  EXPECT_EQ(output.write("x").error().message, "stdout: cannot write: No space left on device");
  EXPECT_FALSE(output.isTerminal());
  close(full);
}

TEST(Output, APipeThatDoesNotBlockIsWaitedFor) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_NONBLOCK), 0);
  const pid_t child = fork();
  if (child == 0) {
    // Slow reader: counts what arrives and tells by its exit code.
    close(ends[1]);
    size_t total = 0;
    char block[4096];
    for (ssize_t count; (count = read(ends[0], block, sizeof block)) != 0;) {
      if (count > 0)
        total += static_cast<size_t>(count);
      else
        usleep(1000);
    }
    _exit(total == 1000000 ? 0 : 1);
  }
  close(ends[0]);
  Output output(ends[1], "stdout");
  EXPECT_TRUE(output.write(std::string(1000000, 'x')));
  close(ends[1]);
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(ReadAll, GivesEverythingAndNothingWhereNothingIsOpen) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "a\0b\n", 4), 4);
  close(ends[1]);
  EXPECT_EQ(*readAll(ends[0], "stdin"), std::string("a\0b\n", 4));
  close(ends[0]);
  EXPECT_EQ(*readAll(ends[0], "stdin"), "");
  const int folder = open("/", O_RDONLY);
  EXPECT_THAT(readAll(folder, "stdin").error().message, HasSubstr("stdin: cannot read: Is a directory"));
  close(folder);
}

TEST(SameDestination, SeesThroughDuplicates) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const int copy = dup(ends[1]);
  const int null = open("/dev/null", O_WRONLY);
  EXPECT_TRUE(sameDestination(ends[1], copy));
  EXPECT_FALSE(sameDestination(ends[1], null));
  for (const int descriptor : {ends[0], ends[1], copy, null})
    close(descriptor);
}
