// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the grammar allows, and what it does not.
#include "lib/json/Reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace halftone;
using namespace halftone::json;
using testing::ElementsAre;
using testing::HasSubstr;

/// An object of arrays of numbers as "key:1,2;", or the error.
static std::string readLists(std::string_view text) {
  Reader reader(text);
  std::string result;
  const auto readNumber = [&]() -> Status {
    const Expected<uint64_t> number = reader.unsignedInteger();
    if (!number)
      return number.error();
    result += std::to_string(*number) + ",";
    return {};
  };
  const Status read = reader.object([&](const std::string &key) -> Status {
    result += key + ":";
    return reader.array(readNumber);
  });
  if (!read)
    return read.error().message;
  const Status ended = reader.end();
  return ended ? result : ended.error().message;
}

static std::string readString(std::string_view text) {
  const Expected<std::string> value = Reader(text).string();
  return value ? *value : value.error().message;
}

static std::string readInteger(std::string_view text) {
  Reader reader(text);
  const Expected<uint64_t> value = reader.unsignedInteger();
  const Status ended = reader.end();
  return !value ? value.error().message : !ended ? ended.error().message : std::to_string(*value);
}

TEST(JsonReader, ObjectsAndArrays) {
  EXPECT_EQ(readLists("{}"), "");
  EXPECT_EQ(readLists(R"({"a":[],"b":[1,2]})"), "a:b:1,2,");
  EXPECT_EQ(readLists(" { \"a\"\t:\r\n[ 1 , 2 ] , \"\" : [ ] } \n"), "a:1,2,:");
}

TEST(JsonReader, RefusesWhatIsNoObject) {
  const std::pair<const char *, const char *> cases[] = {
      {"", "byte 0: an object is wanted, found the end"},
      {"[]", "byte 0: an object is wanted, found '['"},
      {"{", "byte 1: a string is wanted, found the end"},
      {"{a:[]}", "byte 1: a string is wanted, found 'a'"},
      {"{\"a\"[]}", "byte 4: ':' is wanted, found '['"},
      {"{\"a\":1}", "byte 5: an array is wanted, found '1'"},
      {"{\"a\":[]", "byte 7: ',' or '}' is wanted, found the end"},
      {"{\"a\":[],}", "byte 8: a string is wanted, found '}'"},
      {"{\"a\":[1,]}", "byte 8: a whole number without a sign is wanted, found ']'"},
      {"{\"a\":[1 2]}", "byte 8: ',' or ']' is wanted, found '2'"},
      {"{\"a\":[]}x", "byte 8: the end is wanted, found 'x'"},
      {"{\"a\":[]}\xff", "byte 8: the end is wanted, found \\xff"},
      {"{\"a\":[], \"a\":[]}", "byte 9: the key 'a' stands twice in one object"},
      {"{\"a\":[], \"\\u0061\":[]}", "byte 9: the key 'a' stands twice in one object"},
      {"\xef\xbb\xbf{}", "byte 0: an object is wanted, found \\xef"}, // a byte order mark
  };
  for (const auto &[text, error] : cases)
    EXPECT_EQ(readLists(text), error) << text;
}

TEST(JsonReader, Strings) {
  EXPECT_EQ(readString(R"("a b")"), "a b");
  EXPECT_EQ(readString(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(readString(R"("\u0041\u00e9\u2581\ud83d\ude00")"), "A\xc3\xa9\xe2\x96\x81\xf0\x9f\x98\x80");
  EXPECT_EQ(readString("\"\xf0\x9f\x98\x80\""), "\xf0\x9f\x98\x80");
  EXPECT_EQ(readString(R"("\u0000")"), std::string(1, '\0'));
}

TEST(JsonReader, RefusesWhatIsNoString) {
  const std::pair<std::string_view, const char *> cases[] = {
      {"a", "byte 0: a string is wanted, found 'a'"},
      {"\"a", "byte 2: '\"' is wanted, found the end"},
      {"\"a\nb\"", "byte 2: a control character in a string"},
      {"\"a\xff\"", "byte 2: not UTF-8"},
      {"\"\xed\xa0\x80\"", "byte 1: not UTF-8"},
      {"\"\\", "byte 1: not an escape"},
      {"\"\\x\"", "byte 1: not an escape"},
      {"\"\\u12\"", "byte 1: not an escape"},
      {"\"\\u12g4\"", "byte 1: not an escape"},
      {"\"\\u+123\"", "byte 1: not an escape"},
      {"\"\\u123", "byte 1: not an escape"},
      {"\"\\ud83d\"", "byte 1: half of a surrogate pair"},
      {"\"\\ud83d\\u0041\"", "byte 1: half of a surrogate pair"},
      {"\"\\ude00\\ud83d\"", "byte 1: half of a surrogate pair"},
  };
  for (const auto &[text, error] : cases)
    EXPECT_EQ(readString(text), error) << text;
}

TEST(JsonReader, Integers) {
  for (const char *number : {"0", "7", "18446744073709551615"})
    EXPECT_EQ(readInteger(number), number);
  EXPECT_EQ(readInteger("18446744073709551616"), "byte 0: a number below 2^64 is wanted, found 18446744073709551616");
  for (const char *number : {"", "-1", "+1", "01", "00", "1.0", "1e3", "1E3", "0x1", "null", "\"1\"", "1-"})
    EXPECT_THAT(readInteger(number), HasSubstr("wanted, found")) << number;
}

static std::string readNumber(std::string_view text) {
  Reader reader(text);
  const Expected<double> value = reader.number();
  const Status ended = reader.end();
  return !value ? value.error().message : !ended ? ended.error().message : std::to_string(*value);
}

TEST(JsonReader, Numbers) {
  const std::pair<const char *, const char *> cases[] = {{"0", "0.000000"},        {"-0.5", "-0.500000"},
                                                         {"12.25", "12.250000"},   {"1e3", "1000.000000"},
                                                         {"1.5E+2", "150.000000"}, {" 25e-2 ", "0.250000"}};
  for (const auto &[text, value] : cases)
    EXPECT_EQ(readNumber(text), value);
  for (const char *number : {"", "-", "+1", "01", ".5", "1.", "1.e3", "1e", "1e+", "nan", "inf", "1-", "--1", "null"})
    EXPECT_EQ(readNumber(number).substr(0, 27), "byte 0: a number is wanted,") << number;
  EXPECT_THAT(readNumber("1e400"), HasSubstr("a number that a double holds is wanted, found 1e400"));
}

TEST(JsonReader, NullIsReadOnlyWhereItStands) {
  Reader reader(" null 1");
  EXPECT_TRUE(reader.null());
  EXPECT_FALSE(reader.null());
  EXPECT_EQ(*reader.unsignedInteger(), 1u);
  EXPECT_FALSE(Reader("nul").null());
}

TEST(JsonReader, CountsFromItsOffsetInTheFile) {
  EXPECT_EQ(Reader("[", 8).string().error().message, "byte 8: a string is wanted, found '['");
}
