// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lists of methods.
#include "lib/quantize/Method.h"

#include <gtest/gtest.h>

using namespace halftone;
using namespace halftone::quantize;
using calibrate::Gather;

namespace {

/// The list as it is understood, or the error.
std::string understood(std::string_view list) {
  const auto methods = parseMethods(list);
  return methods ? join(*methods) : methods.error().message;
}

TEST(Method, ListsEndWithOneThatQuantizes) {
  EXPECT_EQ(understood("gptq"), "gptq");
  EXPECT_EQ(understood("awq,gptq"), "awq,gptq");
  EXPECT_EQ(understood("awq"), "awq,imatrix");
  EXPECT_EQ(understood("smooth-quant,awq,hqq"), "smooth-quant,awq,hqq");
  EXPECT_EQ(understood("smooth-quant"), "smooth-quant,rtn");
}

TEST(Method, RefusesOthers) {
  EXPECT_EQ(understood(""), "no method is called ''; there are rtn, hqq, imatrix, gptq, smooth-quant, awq");
  EXPECT_EQ(understood("awq,,rtn"), "no method is called ''; there are rtn, hqq, imatrix, gptq, smooth-quant, awq");
  EXPECT_EQ(understood("AWQ"), "no method is called 'AWQ'; there are rtn, hqq, imatrix, gptq, smooth-quant, awq");
  EXPECT_EQ(understood("gptq,awq"), "awq comes after gptq, which leaves nothing to quantize");
  EXPECT_EQ(understood("rtn,rtn"), "rtn stands there twice");
  EXPECT_EQ(understood("awq,awq"), "awq stands there twice");
  EXPECT_EQ(understood("awq,smooth-quant"), "smooth-quant is to come before awq");
}

TEST(Method, GathersWhatAllOfThemNeed) {
  EXPECT_EQ(gatheredFor(*parseMethods("rtn")), Gather::nothing);
  EXPECT_EQ(gatheredFor(*parseMethods("awq,gptq")), Gather::magnitude | Gather::hessian);
  EXPECT_EQ(gatheredFor(*parseMethods("smooth-quant")), Gather::range);
}

} // namespace
