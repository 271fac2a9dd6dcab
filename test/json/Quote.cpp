// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every string comes back from its JSON.
#include "lib/json/Quote.h"

#include "lib/json/Reader.h"

#include <gtest/gtest.h>

using namespace halftone::json;

TEST(Quote, EscapesWhatMustBe) {
  EXPECT_EQ(quote(""), "\"\"");
  EXPECT_EQ(quote("a\"b\\c\n\xc3\xa9"), "\"a\\u0022b\\u005cc\\u000a\xc3\xa9\"");
  EXPECT_EQ(quote("\xff"), "\"\xef\xbf\xbd\"");
}

TEST(Quote, IsReadBack) {
  std::string text = "\xc3\xa9\xe2\x96\x81\xf0\x9f\x98\x80";
  for (char byte = 0; byte < 127; ++byte)
    text += byte;
  EXPECT_EQ(*Reader(quote(text)).string(), text);
}
