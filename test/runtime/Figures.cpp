// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Figures as JSON that any parser reads, and as a table.
#include "lib/runtime/Figures.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace halftone::runtime;

TEST(Literal, IsJson) {
  EXPECT_EQ(literal(int64_t(-7)), "-7");
  EXPECT_EQ(literal(0.5), "0.5");
  EXPECT_EQ(literal(12345678901.5), "1.23456789e+10");
  EXPECT_EQ(literal(std::nan("")), "null");
  EXPECT_EQ(literal(-INFINITY), "null");
  EXPECT_EQ(literal("a\"b\\c\n\xc3\xa9\xff"), "\"a\\u0022b\\u005cc\\u000a\xc3\xa9\xef\xbf\xbd\"");
  EXPECT_EQ(literal(std::vector<double>{1, 2.5}), "[1, 2.5]");
  EXPECT_EQ(literal(std::vector<double>{}), "[]");
}

TEST(Figures, AreATableOrAnObject) {
  const std::vector<Figure> figures = {
      {"speed", "12.5", "speed", "12.5 tokens/s"}, {"runs", "5"}, {"n", "1", "of", "1"}};
  EXPECT_EQ(printJson(figures), "{\n  \"speed\": 12.5,\n  \"runs\": 5,\n  \"n\": 1\n}\n");
  EXPECT_EQ(printTable(figures), "speed  12.5 tokens/s\nof     1\n");
}
