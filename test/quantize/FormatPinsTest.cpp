// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pins read, matched and written.
#include "lib/quantize/FormatPins.h"

#include <gmock/gmock.h>

using namespace halftone;
using namespace halftone::quantize;
using formats::Format;

namespace {

std::string nameFor(std::string_view list, const std::string &weight) {
  const auto pins = parsePins(list);
  if (!pins)
    return pins.error().message;
  const FormatPin *pin = findPin(*pins, weight);
  return pin ? formats::name(pin->format) : "none";
}

TEST(FormatPins, TheFirstMatchCounts) {
  const std::string_view list = "layers.[01].*=int8-g32,*.down=int4-g32-asym,layers.*=f16";
  EXPECT_EQ(nameFor(list, "layers.1.down"), "int8-g32");
  EXPECT_EQ(nameFor(list, "layers.2.down"), "int4-g32-asym");
  EXPECT_EQ(nameFor(list, "layers.2.up"), "f16");
  EXPECT_EQ(nameFor(list, "head"), "none");
  EXPECT_EQ(nameFor("", "head"), "none");
  EXPECT_EQ(nameFor("a=b=f16", "a=b"), "f16");
}

TEST(FormatPins, RefusesWhatIsNoPair) {
  EXPECT_EQ(nameFor("head", ""), "'head' is not GLOB=FORMAT");
  EXPECT_EQ(nameFor("=f16", ""), "'=f16' is not GLOB=FORMAT");
  EXPECT_EQ(nameFor("a=f16,,b=f16", ""), "'' is not GLOB=FORMAT");
  EXPECT_THAT(nameFor("a=int77", ""), testing::StartsWith("a=int77: "));
}

TEST(FormatPins, WritesWhatItReads) {
  const std::vector<std::string> names = {"a", "b[0]", "c*", "d"};
  const std::vector<Format> formats = {Format::integer(4, 32), Format::integer(8, 32),
                                       Format::integer(3, 32, formats::Scalar::F16, true), Format::integer(4, 32)};
  EXPECT_EQ(optionsFor(names, formats), "--format=int4-g32 --formats=b\\[0]=int8-g32,c\\*=int3-g32-asym");
  EXPECT_EQ(nameFor("b\\[0]=int8-g32,c\\*=int3-g32-asym", "b[0]"), "int8-g32");
  EXPECT_EQ(nameFor("b\\[0]=int8-g32,c\\*=int3-g32-asym", "cc"), "none");
  EXPECT_EQ(optionsFor(std::span(names).first(1), std::span(formats).first(1)), "--format=int4-g32");
  EXPECT_EQ(optionsFor({}, {}), "");
}

} // namespace
