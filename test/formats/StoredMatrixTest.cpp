// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a matrix needs of its file, also when nothing can count it.
#include "lib/formats/StoredMatrix.h"

#include "test/io/TemporaryFolder.h"

#include <gtest/gtest.h>

using namespace halftone;
using namespace halftone::formats;

static const Format f32 = Format::plain(Scalar::F32);

TEST(StoredMatrix, CountsItsBytes) {
  EXPECT_EQ(storedBytes({.rows = 3, .columns = 4, .format = f32}), 48);
  EXPECT_EQ(storedBytes({.rows = 2, .columns = 32, .format = Format::integer(4, 32)}), 36);
  EXPECT_EQ(storedBytes({.rows = int64_t(1) << 62, .columns = 4, .format = f32}), std::nullopt);
  EXPECT_EQ(storedBytes({.rows = 4, .columns = int64_t(1) << 62, .format = f32}), std::nullopt);
  EXPECT_EQ(storedBytes({.rows = -1, .columns = 4, .format = f32}), std::nullopt);
}

TEST(StoredMatrix, RefusesASizeThatWrapsAround) {
  test::TemporaryFolder folder;
  Expected<io::MappedFile> mapped = io::MappedFile::open(folder.write("weights", std::string(64, 'x')));
  ASSERT_TRUE(mapped);
  auto file = std::make_shared<const io::MappedFile>(std::move(*mapped));
  ASSERT_TRUE(StoredMatrix::open(file, 16, {.rows = 3, .columns = 4, .format = f32}));
  EXPECT_EQ(StoredMatrix::open(file, 32, {.rows = 3, .columns = 4, .format = f32}).error().message,
            folder / "weights" + ": 48 bytes at 32 are wanted, the file has 64");
  // 2^62 rows of 16 bytes are 2^66: nothing but the overflow is left of them in 64 bits.
  EXPECT_EQ(StoredMatrix::open(file, 16, {.rows = int64_t(1) << 62, .columns = 4, .format = f32}).error().message,
            folder / "weights" + ": a matrix of 4611686018427387904 rows and 4 columns at 16 is wanted, the file has "
                                 "64 bytes");
}
