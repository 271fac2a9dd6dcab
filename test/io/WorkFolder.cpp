// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/io/WorkFolder.h"

#include "test/io/TemporaryFolder.h"

#include <csignal>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

namespace halftone::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// Writes `content` to the file `name` of `work`.
void write(const WorkFolder &work, const std::string &name, std::string_view content) {
  std::ofstream(work / name, std::ios::binary) << content;
}

TEST(WorkFolder, GoesAwayWithItsFiles) {
  const test::TemporaryFolder folder;
  {
    const auto work = WorkFolder::create(folder / "out");
    ASSERT_TRUE(work);
    write(*work, "weights", "12345");
    write(*work, ".hidden", "67");
    EXPECT_EQ(work->bytes(), 7u);
    EXPECT_THAT(folder.list(), ElementsAre(StartsWith("out.halftone-work-")));
  }
  EXPECT_THAT(folder.list(), IsEmpty());
}

TEST(WorkFolder, MovesItsDuty) {
  const test::TemporaryFolder folder;
  {
    auto work = WorkFolder::create(folder / "out");
    const WorkFolder other = std::move(*work);
    write(other, "weights", "1");
  }
  EXPECT_THAT(folder.list(), IsEmpty());
}

TEST(WorkFolder, MayHaveAnotherInside) {
  const test::TemporaryFolder folder;
  {
    const auto work = WorkFolder::create(folder / "out");
    {
      const auto nested = WorkFolder::create(*work / "program");
      write(*nested, "program", "new");
      EXPECT_TRUE(nested->publish("program"));
    }
    EXPECT_EQ(work->bytes(), 3u);
  }
  EXPECT_THAT(folder.list(), IsEmpty());
}

TEST(WorkFolder, PublishesAFinishedFile) {
  const test::TemporaryFolder folder;
  folder.write("out", "old");
  {
    const auto work = WorkFolder::create(folder / "out");
    write(*work, "program", "new");
    EXPECT_TRUE(work->publish("program"));
  }
  EXPECT_THAT(folder.list(), ElementsAre("out"));
  EXPECT_EQ(folder.read("out"), "new");
}

TEST(WorkFolder, FollowsALinkToTheOutput) {
  const test::TemporaryFolder folder;
  std::filesystem::create_directory(folder / "real");
  folder.write("real/out", "old");
  std::filesystem::create_symlink("real/out", folder / "link");
  {
    const auto work = WorkFolder::create(folder / "link");
    EXPECT_THAT(work->path(), HasSubstr("/real/out.halftone-work-"));
    write(*work, "program", "new");
    EXPECT_TRUE(work->publish("program"));
  }
  EXPECT_EQ(folder.read("real/out"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
}

TEST(WorkFolder, SaysWhenItCannotBeMade) {
  const test::TemporaryFolder folder;
  const auto work = WorkFolder::create(folder / "nowhere/out");
  ASSERT_FALSE(work);
  EXPECT_EQ(work.error().message,
            folder / "nowhere/out: cannot make a work folder beside it: No such file or directory");
}

/// Ends a child by `signal`, after it made a work folder for `output` with a file and another work folder in it.
void dieIn(const std::string &output, int signal) {
  const pid_t child = fork();
  if (child == 0) {
    const auto work = WorkFolder::create(output);
    write(*work, "weights", "12345");
    const auto nested = WorkFolder::create(*work / "program");
    write(*nested, "weights", "67");
    std::signal(SIGTERM, [](int) {
      WorkFolder::removeOnSignal();
      _exit(1);
    });
    raise(signal);
    _exit(2);
  }
  int status;
  waitpid(child, &status, 0);
  ASSERT_NE(WIFEXITED(status) ? WEXITSTATUS(status) : 0, 2);
}

TEST(WorkFolder, GoesAwayOnASignal) {
  const test::TemporaryFolder folder;
  dieIn(folder / "out", SIGTERM);
  EXPECT_THAT(folder.list(), IsEmpty());
}

TEST(WorkFolder, IsRemovedByTheNextRunAfterAKill) {
  const test::TemporaryFolder folder;
  folder.write("out.halftone-work-notes1", "mine"); // as long as a work folder's name, and no folder
  std::filesystem::create_directory(folder / "out.halftone-work-more-notes");
  dieIn(folder / "other", SIGKILL);
  dieIn(folder / "out", SIGKILL);
  ASSERT_EQ(folder.list().size(), 4u);
  {
    const auto work = WorkFolder::create(folder / "out");
  }
  EXPECT_THAT(folder.list(), ElementsAre(StartsWith("other.halftone-work-"), "out.halftone-work-more-notes",
                                         "out.halftone-work-notes1"));
}

TEST(WorkFolder, LeavesARunningOneAlone) {
  const test::TemporaryFolder folder;
  const auto first = WorkFolder::create(folder / "out");
  write(*first, "weights", "12345");
  {
    const auto second = WorkFolder::create(folder / "out");
  }
  EXPECT_EQ(first->bytes(), 5u);
}

} // namespace
} // namespace halftone::io
