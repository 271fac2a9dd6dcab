// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/package/SourceHashes.h"

#include "test/io/TemporaryFolder.h"

#include <gtest/gtest.h>

namespace halftone::package {
namespace {

TEST(HashFile, NamesTheFileWithoutItsFolder) {
  const test::TemporaryFolder folder;
  const Expected<HashedFile> hashed = hashFile(folder.write("model.onnx", "abc"));
  ASSERT_TRUE(hashed);
  EXPECT_EQ(hashed->name, "model.onnx");
  EXPECT_EQ(hashed->sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"); // FIPS 180-2, appendix B.1
}

TEST(HashFile, HashesMoreThanABlock) {
  const test::TemporaryFolder folder;
  const std::string content(5'000'000, 'a');
  const Expected<HashedFile> hashed = hashFile(folder.write("large", content));
  ASSERT_TRUE(hashed);
  // python3 -c 'import hashlib; print(hashlib.sha256(b"a" * 5000000).hexdigest())'
  EXPECT_EQ(hashed->sha256, "7f4a285193573e707fcb6398222c00f044745cd2930e41d28d30da87d6ca183f");
}

TEST(HashFile, SaysWhatIsMissing) {
  const Expected<HashedFile> hashed = hashFile("nowhere.onnx");
  ASSERT_FALSE(hashed);
  EXPECT_EQ(hashed.error().message, "nowhere.onnx: cannot open: No such file or directory");
}

TEST(SourceHashes, AreTheSameInTheBackground) {
  const test::TemporaryFolder folder;
  const std::vector<std::string> paths = {folder.write("a", "abc"), folder.write("b", std::string(9'000'000, 'b'))};
  SourceHashes now(paths, /*background=*/false), later(paths, /*background=*/true);
  ASSERT_TRUE(now.get());
  ASSERT_TRUE(later.get());
  ASSERT_EQ(now.get()->size(), 2u);
  for (size_t i = 0; i < paths.size(); ++i) {
    EXPECT_EQ((*now.get())[i].name, (*later.get())[i].name);
    EXPECT_EQ((*now.get())[i].sha256, (*later.get())[i].sha256);
  }
}

TEST(SourceHashes, TellTheFirstError) {
  for (const bool background : {false, true}) {
    SourceHashes hashes({"nowhere.onnx", "nor here"}, background);
    ASSERT_FALSE(hashes.get());
    EXPECT_EQ(hashes.get().error().message, "nowhere.onnx: cannot open: No such file or directory");
  }
}

TEST(SourceHashes, NeedNotBeWaitedFor) {
  const test::TemporaryFolder folder;
  const SourceHashes unread({folder.write("a", std::string(50'000'000, 'a'))}, /*background=*/true);
}

} // namespace
} // namespace halftone::package
