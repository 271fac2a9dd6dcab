// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names of formats, and what the table allows.
#include "test/formats/AllFormats.h"

#include <gmock/gmock.h>
#include <numeric>
#include <unordered_set>

using namespace halftone;
using namespace halftone::formats;
using testing::AllOf;
using testing::HasSubstr;

namespace {

TEST(Format, NamesParseAndPrintInversely) {
  std::vector<int64_t> blocks(300);
  std::iota(blocks.begin(), blocks.end(), 0);
  blocks.insert(blocks.end(), {4096, 65535, 65536});
  std::unordered_set<std::string> names;
  std::unordered_set<Format> formats;
  for (const Format &format : allFormats(blocks)) {
    const std::string text = name(format);
    const Expected<Format> parsed = parse(text);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(*parsed, format) << text;
    EXPECT_TRUE(check(format)) << text;
    EXPECT_TRUE(names.insert(text).second) << text;
    EXPECT_TRUE(formats.insert(*parsed).second) << text;
  }
  size_t expected = 0;
  for (const Element &element : elements()) {
    const size_t offsets = element.mayHaveZeroPoint ? 2 : 1;
    expected += element.code.kind == Code::Kind::Float ? 1 : offsets * blocks.size() * std::size(allScalars);
  }
  EXPECT_EQ(formats.size(), expected);
}

TEST(Format, NamesAreTheOnesInTheDesign) {
  const std::pair<std::string_view, Format> known[] = {
      {"f32", Format::plain(Scalar::F32)},
      {"bf16", Format::plain(Scalar::BF16)},
      {"int4-g128", Format::integer(4, 128)},
      {"int3-g64-asym", Format::integer(3, 64, Scalar::F16, true)},
      {"int4-g32-bf16", Format::integer(4, 32, Scalar::BF16)},
      {"int4-g32-asym-f32", Format::integer(4, 32, Scalar::F32, true)},
      {"int8-row", Format::integer(8, 0)},
      {"int4-row-asym", Format::integer(4, 0, Scalar::F16, true)},
  };
  for (const auto &[text, format] : known)
    EXPECT_EQ(name(format), text);
}

class BadNameTest : public testing::TestWithParam<std::pair<const char *, const char *>> {};

TEST_P(BadNameTest, IsAnErrorThatSaysWhyAndListsWhatIsAllowed) {
  const auto &[text, reason] = GetParam();
  const Expected<Format> format = parse(text);
  ASSERT_FALSE(format) << text;
  EXPECT_THAT(format.error().message, AllOf(HasSubstr("unknown format '" + std::string(text) + "': " + reason +
                                                      "; allowed are " + allowedNames()),
                                            HasSubstr("followed by -g1..-g65536 or -row"), HasSubstr("-asym"),
                                            HasSubstr("-f32 or -bf16 if scales are not f16")));
  for (const Element &element : elements())
    EXPECT_THAT(format.error().message, HasSubstr(name(element.code)));
}

INSTANTIATE_TEST_SUITE_P(
    Names, BadNameTest,
    testing::Values(std::pair{"", "no element is called ''"}, std::pair{"int9-g32", "no element is called 'int9'"},
                    std::pair{"INT4-g32", "no element is called 'INT4'"}, std::pair{"int4", "'' is no block"},
                    std::pair{"int4-", "'' is no block"}, std::pair{"int4-g", "'g' is no block"},
                    std::pair{"int4-g0", "'g0' is no block"}, std::pair{"int4-g032", "'g032' is no block"},
                    std::pair{"int4-g-32", "'g' is no block"}, std::pair{"int4-g+32", "'g+32' is no block"},
                    std::pair{"int4-g32x", "'g32x' is no block"}, std::pair{"int4-g65537", "'g65537' is no block"},
                    std::pair{"int4-g99999999999999999999", "'g99999999999999999999' is no block"},
                    std::pair{"int4-asym-g32", "'asym' is no block"},
                    std::pair{"int4-g32-f16", "'f16' has no place here"},
                    std::pair{"int4-g32-bf16-asym", "'asym' has no place here"},
                    std::pair{"int4-g32-asym-asym", "'asym' has no place here"},
                    std::pair{"int4-g32-f32-bf16", "'bf16' has no place here"},
                    std::pair{"int4-g32-", "'' has no place here"}, std::pair{"f32-g32", "'g32' has no place here"},
                    std::pair{"f32-", "'' has no place here"}));

TEST(Format, CheckNamesWhatTheTableForbids) {
  const std::pair<Format, const char *> bad[] = {
      {Format::integer(9, 32), "'int9'"},
      {Format::integer(4, -1), "block -1 is not 1..65536"},
      {Format::integer(4, 65537), "block 65537 is not 1..65536"},
      {{.code = Code::floating(Scalar::F32), .block = 32}, "'f32' stores values"},
      {{.code = Code::floating(Scalar::F16), .zeroPoint = true}, "'f16' stores values"},
  };
  for (const auto &[format, message] : bad) {
    const Status status = check(format);
    ASSERT_FALSE(status) << message;
    EXPECT_THAT(status.error().message, HasSubstr(message));
  }
}

TEST(Format, BlocksCoverTheRowExactlyOnce) {
  for (const Format &format : allFormats({0, 1, 7, 32, 65536}))
    for (int64_t columns : {1, 7, 31, 32, 33, 288, 300}) {
      int64_t next = 0;
      for (int64_t b = 0; b < format.blockCount(columns); ++b) {
        EXPECT_EQ(format.blockStart(b), next);
        EXPECT_GT(format.blockLength(columns, b), 0);
        next += format.blockLength(columns, b);
      }
      EXPECT_EQ(next, columns) << name(format);
    }
}

} // namespace
