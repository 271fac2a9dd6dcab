// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Outputs appear whole or not at all, also when the disk is full.
#include "lib/io/AtomicFile.h"

#include "test/io/InChild.h"
#include "test/io/TemporaryFolder.h"

#include <csignal>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace halftone;
using namespace halftone::io;
using halftone::test::inChild;
using halftone::test::mountSmallDisk;
using halftone::test::TemporaryFolder;
using testing::ElementsAre;
using testing::IsEmpty;

static AtomicFile create(const std::string &path, const AtomicFileOptions &options = {}) {
  Expected<AtomicFile> file = AtomicFile::create(path, options);
  if (!file) {
    ADD_FAILURE() << file.error().message;
    std::abort();
  }
  return std::move(*file);
}

TEST(AtomicFile, WritesAWholeFile) {
  TemporaryFolder folder;
  const std::string content = "abc";
  ASSERT_TRUE(writeFile(folder / "out", std::as_bytes(std::span(content))));
  EXPECT_EQ(folder.read("out"), content);
  EXPECT_FALSE(writeFile(folder / "nowhere/out", {}));
}

TEST(AtomicFile, AppearsOnCommit) {
  TemporaryFolder folder;
  AtomicFile file = create(folder / "out");
  ASSERT_TRUE(file.write("abc", 3));
  ASSERT_TRUE(file.padTo(8));
  EXPECT_EQ(file.position(), 8u);
  ASSERT_TRUE(file.write("xyz", 3));
  ASSERT_TRUE(file.writeAt(1, "B", 1));
  EXPECT_EQ(file.position(), 11u);
  EXPECT_EQ(folder.read("out"), "");
  ASSERT_TRUE(file.commit());
  EXPECT_EQ(folder.read("out"), std::string("aBc\0\0\0\0\0xyz", 11));
  EXPECT_THAT(folder.list(), ElementsAre("out"));
  EXPECT_FALSE(file.write("more", 4));
  EXPECT_FALSE(file.commit());
}

TEST(AtomicFile, PaddingAtTheEndIsWritten) {
  TemporaryFolder folder;
  AtomicFile file = create(folder / "out");
  ASSERT_TRUE(file.write("abc", 3));
  ASSERT_TRUE(file.padTo(4096));
  ASSERT_TRUE(file.commit());
  EXPECT_EQ(folder.read("out").size(), 4096u);
}

TEST(AtomicFile, LeavesNothingWithoutCommit) {
  TemporaryFolder folder;
  folder.write("old", "old");
  {
    AtomicFile fresh = create(folder / "new"), replacing = create(folder / "old");
    ASSERT_TRUE(fresh.write("new", 3));
    ASSERT_TRUE(replacing.write("new", 3));
    replacing = std::move(fresh);
    EXPECT_EQ(replacing.path(), folder / "new");
  }
  EXPECT_EQ(folder.read("old"), "old");
  EXPECT_THAT(folder.list(), ElementsAre("old"));
}

TEST(AtomicFile, ModeIsKeptUnderTheUmask) {
  TemporaryFolder folder;
  const mode_t old = umask(022);
  AtomicFile file = create(folder / "program", {.mode = 0777});
  ASSERT_TRUE(file.commit());
  umask(old);
  struct stat status;
  ASSERT_EQ(stat((folder / "program").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0755u);
}

TEST(AtomicFile, NeverReplacesAnInput) {
  TemporaryFolder folder;
  const std::string input = folder.write("in", "in");
  std::filesystem::create_hard_link(input, folder / "hard");
  std::filesystem::create_symlink(input, folder / "soft");
  for (const char *name : {"in", "hard", "soft"})
    EXPECT_EQ(AtomicFile::create(folder / name, {.inputs = {folder / "other", input}}).error().message,
              folder / name + ": the output would replace the input '" + input + "'");
  EXPECT_TRUE(AtomicFile::create(folder / "out", {.inputs = {input}}));
}

TEST(AtomicFile, WritesThroughASymbolicLink) {
  TemporaryFolder folder;
  std::filesystem::create_symlink(folder.write("file", "old"), folder / "link");
  AtomicFile file = create(folder / "link");
  ASSERT_TRUE(file.write("new", 3));
  ASSERT_TRUE(file.commit());
  EXPECT_EQ(folder.read("file"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
}

TEST(AtomicFile, WritesThroughALinkToNothingYet) {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder / "sub");
  std::filesystem::create_symlink("sub/second", folder / "first");
  std::filesystem::create_symlink("file", folder / "sub/second");
  AtomicFile file = create(folder / "first");
  ASSERT_TRUE(file.write("new", 3));
  ASSERT_TRUE(file.commit());
  EXPECT_EQ(folder.read("sub/file"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "first"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "sub/second"));
}

TEST(AtomicFile, SaysWhyNot) {
  TemporaryFolder folder;
  EXPECT_EQ(AtomicFile::create(folder / "none/out").error().message,
            folder / "none/out" + ": cannot create: No such file or directory");
  EXPECT_EQ(AtomicFile::create(folder.path).error().message, folder.path + ": is a folder, not a file");
  EXPECT_EQ(AtomicFile::create("/dev/null").error().message, "/dev/null: is not a regular file");
}

TEST(AtomicFile, AFailedWriteNamesOffsetAndReason) {
  TemporaryFolder folder;
  const std::string message = inChild([&]() -> std::string {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {6000, 6000};
    setrlimit(RLIMIT_FSIZE, &limit);
    AtomicFile file = create(folder / "out");
    const std::string block(4096, 'x');
    if (!file.write(block.data(), block.size()))
      return "the first block failed";
    Status second = file.write(block.data(), block.size());
    return second ? "no error" : second.error().message;
  });
  // 6000 - 4096 = 1904 bytes still fit; the rest of the second block, 2192 bytes, does not.
  EXPECT_EQ(message, folder / "out" + ": cannot write 2192 bytes at 6000: File too large");
  EXPECT_THAT(folder.list(), IsEmpty());
}

TEST(AtomicFile, TheFirstFailureStays) {
  TemporaryFolder folder;
  const std::string message = inChild([&]() -> std::string {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {6000, 6000};
    setrlimit(RLIMIT_FSIZE, &limit);
    AtomicFile file = create(folder / "out");
    const std::string block(8192, 'x');
    const Status first = file.writeAt(0, block.data(), block.size());
    if (first)
      return "no error";
    AtomicFile moved = std::move(file);
    for (const Status &later : {moved.writeAt(0, "x", 1), moved.write("x", 1), moved.padTo(64), moved.commit()})
      if (later || later.error().message != first.error().message)
        return later ? "no later error" : later.error().message;
    return first.error().message;
  });
  EXPECT_EQ(message, folder / "out" + ": cannot write 2192 bytes at 6000: File too large");
  EXPECT_THAT(folder.list(), IsEmpty());
}

TEST(AtomicFile, AFullDiskIsAnError) {
  TemporaryFolder folder;
  const std::string message = inChild([&]() -> std::string {
    if (!mountSmallDisk(folder.path, "64k"))
      return "skip";
    AtomicFile file = create(folder / "out");
    const std::string block(1 << 20, 'x');
    Status written = file.write(block.data(), block.size());
    return (written ? "no error" : written.error().message) + (folder.list().empty() ? "" : "; something is left");
  });
  if (message == "skip")
    GTEST_SKIP() << "this system does not let the test mount a small disk";
  EXPECT_EQ(message, folder / "out" + ": cannot write 983040 bytes at 65536: No space left on device");
}

TEST(AtomicFile, WorksWithoutProc) {
  TemporaryFolder folder;
  const std::string message = inChild([&]() -> std::string {
    if (chroot(folder.path.c_str()) != 0 || chdir("/") != 0)
      return "skip";
    AtomicFile file = create("/out");
    {
      const AtomicFile abandoned = create("/other");
    }
    if (!file.write("abc", 3))
      return "no write";
    Status done = file.commit();
    return done ? "" : done.error().message;
  });
  if (message == "skip")
    GTEST_SKIP() << "this system does not let the test change its root";
  EXPECT_EQ(message, "");
  EXPECT_EQ(folder.read("out"), "abc");
  EXPECT_THAT(folder.list(), ElementsAre("out"));
}

TEST(AtomicFile, AKilledProgramLeavesNothing) {
  TemporaryFolder folder;
  const pid_t child = fork();
  if (child == 0) {
    AtomicFile file = create(folder / "out");
    (void)file.write("abc", 3);
    raise(SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  if (!folder.list().empty())
    GTEST_SKIP() << "this file system has no unnamed files (O_TMPFILE)";
  EXPECT_THAT(folder.list(), IsEmpty());
}
