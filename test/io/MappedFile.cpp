// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Mapping files: content, bounds, and what cannot be mapped.
#include "lib/io/MappedFile.h"

#include "test/io/TemporaryFolder.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

using namespace halftone;
using namespace halftone::io;
using halftone::test::TemporaryFolder;

static std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

TEST(MappedFile, GivesTheBytes) {
  TemporaryFolder folder;
  Expected<MappedFile> file = MappedFile::open(folder.write("a", "hello"));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(text(file->bytes()), "hello");
  EXPECT_EQ(text(*file->slice(1, 3)), "ell");
  EXPECT_EQ(file->slice(5, 0)->size(), 0u);
  EXPECT_EQ(file->path(), folder / "a");
}

TEST(MappedFile, OutsideIsAnError) {
  TemporaryFolder folder;
  const Expected<MappedFile> file = MappedFile::open(folder.write("a", "hello"));
  EXPECT_EQ(file->slice(3, 3).error().message, folder / "a" + ": 3 bytes at 3 are wanted, the file has 5");
  EXPECT_FALSE(file->slice(6, 0));
  EXPECT_FALSE(file->slice(2, UINT64_MAX - 1)); // offset + count wraps to 0
}

TEST(MappedFile, EmptyFileIsAnEmptySpan) {
  TemporaryFolder folder;
  const Expected<MappedFile> file = MappedFile::open(folder.write("a", ""));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->size(), 0u);
}

TEST(MappedFile, SaysWhyNot) {
  TemporaryFolder folder;
  EXPECT_EQ(MappedFile::open(folder / "none").error().message,
            folder / "none" + ": cannot open: No such file or directory");
  EXPECT_EQ(MappedFile::open(folder.path).error().message, folder.path + ": is a folder, not a file");
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(MappedFile::open(folder / "pipe").error().message, folder / "pipe" + ": is not a regular file");
}

TEST(MappedFile, MovesAndSurvivesRelease) {
  TemporaryFolder folder;
  Expected<MappedFile> file = MappedFile::open(folder.write("a", std::string(20000, 'x') + "y"));
  MappedFile moved = std::move(*file);
  EXPECT_EQ(file->size(), 0u);
  moved.release(100, 15000);
  moved.release(0, UINT64_MAX);
  moved.release(30000, 1);
  EXPECT_EQ(text(moved.bytes()), std::string(20000, 'x') + "y");
}
