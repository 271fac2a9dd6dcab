// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// There and back, and what is refused.
#include "lib/report/Json.h"

#include "Example.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace halftone;
using namespace halftone::report;
using testing::HasSubstr;

static std::string errorOf(const std::string &text) {
  const Expected<Report> report = fromJson(text);
  return report ? "none" : report.error().message;
}

/// The example's JSON with one part replaced.
static std::string with(const std::string &part, const std::string &other) {
  std::string text = toJson(example());
  const size_t place = text.find(part);
  EXPECT_NE(place, std::string::npos) << part;
  return text.replace(place, part.size(), other);
}

TEST(ReportJson, ReadsWhatItWrites) {
  for (const Report &report : {example(), Report()}) {
    const Expected<Report> read = fromJson(toJson(report));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, report);
  }
}

TEST(ReportJson, HasTheSums) {
  const std::string text = toJson(example());
  EXPECT_THAT(text, HasSubstr(R"("linears": {"tensors": 2, "elements": 512, "bytes": 288, "bits": 4.5})"));
  EXPECT_THAT(text, HasSubstr(R"("all": {"tensors": 4, "elements": 2592, "bytes": 2592, "bits": 8})"));
  EXPECT_THAT(text, HasSubstr(R"("name": "norm", "shape": [32], "role": "other", "format": "f32", "bits": 32,)"));
}

TEST(ReportJson, RefusesWhatIsNoReport) {
  EXPECT_EQ(errorOf(""), "byte 0: an object is wanted, found the end");
  EXPECT_EQ(errorOf("{}"), "the key 'divergence' of a report is missing");
  EXPECT_EQ(errorOf(toJson(example()) + "x"),
            "byte " + std::to_string(toJson(example()).size()) + ": the end is wanted, found 'x'");
  EXPECT_EQ(errorOf(with("\"halftone_report\": 1", "\"halftone_report\": 2")),
            "a report of kind 2, this is for kind 1");
  EXPECT_EQ(errorOf(with("\"version\"", "\"verse\"")), "the key 'verse' is not one of a report's");
  EXPECT_EQ(errorOf(with("\"kernel\": \"dot\"", "\"damp2\": 1")), "the key 'damp2' is not one of a report's");
  EXPECT_EQ(errorOf(with(", \"kernel\": \"dot\"", "")), "the key 'kernel' of a report is missing");
  EXPECT_EQ(errorOf(with("\"linear\"", "\"lineal\"")), "'lineal' is no role of a tensor");
  EXPECT_THAT(errorOf(with("\"damp\": 0.01", "\"damp\": .01")), HasSubstr("a number is wanted, found '.'"));
  EXPECT_THAT(errorOf(with("\"bytes\": 144", "\"bytes\": -144")), HasSubstr("a whole number"));
}
