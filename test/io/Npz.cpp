// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Archives that numpy writes, deflated ones too, are read in test/function/test_exporters.py.
#include "lib/io/Npz.h"

#include "test/io/TemporaryFolder.h"

#include <algorithm>
#include <cstring>
#include <gmock/gmock.h>

namespace halftone::io {
namespace {

using testing::HasSubstr;

const float numbers[] = {1, 2.5, -3, 4, 5, 6};
const int64_t ids[] = {7};

std::vector<NamedArray> someArrays() {
  return {{"numbers", NpyType::float32, {2, 3}, std::as_bytes(std::span(numbers))},
          {"a/b.0", NpyType::int64, {}, std::as_bytes(std::span(ids))},
          {"past", NpyType::float16, {2, 0, 4}, {}}};
}

TEST(Npz, ReadsWhatItWrites) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "arrays.npz";
  ASSERT_TRUE(writeNpz(path, someArrays()));
  const Expected<NpzFile> file = NpzFile::open(path);
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_EQ(file->arrays().size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    const NamedArray &read = file->arrays()[i], written = someArrays()[i];
    EXPECT_EQ(read.name, written.name);
    EXPECT_EQ(read.type, written.type);
    EXPECT_EQ(read.shape, written.shape);
    EXPECT_TRUE(std::equal(read.data.begin(), read.data.end(), written.data.begin(), written.data.end()));
  }
  EXPECT_EQ(file->find("past"), &file->arrays()[2]);
  EXPECT_EQ(file->find("future"), nullptr);
}

TEST(Npz, ReadsASingleArrayUnderTheNameThatItIsGiven) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "array.npy";
  ASSERT_TRUE(writeNpy(path, NpyType::float32, {2, 3}, numbers));
  const Expected<NpzFile> file = NpzFile::open(path, "x");
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_EQ(file->arrays().size(), 1u);
  EXPECT_EQ(file->arrays()[0].name, "x");
  EXPECT_EQ(file->arrays()[0].shape, (std::vector<uint64_t>{2, 3}));
  EXPECT_EQ(std::memcmp(file->arrays()[0].data.data(), numbers, sizeof numbers), 0);
  EXPECT_FALSE(NpzFile::open(path));
  EXPECT_THAT(NpzFile::open(folder.write("text.npy", "text"), "x").error().message, HasSubstr("not an .npy file"));
}

TEST(Npz, GivesTheSameBytesForTheSameArrays) {
  const test::TemporaryFolder folder;
  ASSERT_TRUE(writeNpz(folder / "a.npz", someArrays()));
  ASSERT_TRUE(writeNpz(folder / "b.npz", someArrays()));
  EXPECT_EQ(folder.read("a.npz"), folder.read("b.npz"));
}

TEST(Npz, HoldsNothing) {
  const test::TemporaryFolder folder;
  ASSERT_TRUE(writeNpz(folder / "none.npz", {}));
  const Expected<NpzFile> file = NpzFile::open(folder / "none.npz");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_TRUE(file->arrays().empty());
}

TEST(Npz, EveryCutIsAnError) {
  const test::TemporaryFolder folder;
  ASSERT_TRUE(writeNpz(folder / "whole.npz", someArrays()));
  const std::string whole = folder.read("whole.npz");
  for (size_t size = 0; size < whole.size(); ++size) {
    const Expected<NpzFile> file = NpzFile::open(folder.write("cut.npz", whole.substr(0, size)));
    ASSERT_FALSE(file) << size;
    EXPECT_THAT(file.error().message, HasSubstr("cut.npz: "));
  }
}

TEST(Npz, NoFlippedByteIsReadAsAnotherArray) {
  const test::TemporaryFolder folder;
  ASSERT_TRUE(writeNpz(folder / "whole.npz", someArrays()));
  const std::string whole = folder.read("whole.npz");
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x55);
    const Expected<NpzFile> file = NpzFile::open(folder.write("flipped.npz", flipped));
    if (!file)
      continue; // most bytes; the rest are versions, times, attributes and names, which change no element
    for (const NamedArray &array : file->arrays())
      for (const NamedArray &other : someArrays())
        if (array.name == other.name)
          EXPECT_TRUE(std::equal(array.data.begin(), array.data.end(), other.data.begin(), other.data.end())) << i;
  }
}

} // namespace
} // namespace halftone::io
