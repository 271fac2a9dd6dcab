// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// UTF-8 validity at the borders of each range.
#include "lib/tokenizer/Utf8.h"

#include <gtest/gtest.h>

using namespace halftone::tokenizer;

TEST(Utf8, ValidCharactersHaveTheirLength) {
  EXPECT_EQ(validCharacter(std::string_view("\0", 1)), 1U);
  EXPECT_EQ(validCharacter("\x7f"), 1U);
  EXPECT_EQ(validCharacter("\xc2\x80"), 2U);
  EXPECT_EQ(validCharacter("\xe0\xa0\x80"), 3U);
  EXPECT_EQ(validCharacter("\xed\x9f\xbf"), 3U);
  EXPECT_EQ(validCharacter("\xf0\x90\x80\x80"), 4U);
  EXPECT_EQ(validCharacter("\xf4\x8f\xbf\xbf rest"), 4U);
}

TEST(Utf8, InvalidSequencesHaveNone) {
  for (const char *text :
       {"", "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\x80", "\xed\xa0\x80",
        "\xf0\x8f\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x96", "\xe2\x96\x41"})
    EXPECT_EQ(validCharacter(text), 0U) << text;
}

TEST(Utf8, OnlyTrueBeginningsMayBecomeCharacters) {
  for (const char *text : {"\xc2", "\xe0", "\xe0\xa0", "\xed\x9f", "\xf0\x90\x80", "\xf4"})
    EXPECT_TRUE(mayBecomeCharacter(text)) << text;
  for (const char *text : {"", "a", "\x80", "\xc0", "\xe0\x9f", "\xed\xa0", "\xf5", "\xe2\x41", "\xc3\xa9"})
    EXPECT_FALSE(mayBecomeCharacter(text)) << text;
}
