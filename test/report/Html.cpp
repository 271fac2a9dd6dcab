// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The page holds what the report says, and no markup that a name brings.
#include "lib/report/Html.h"

#include "Example.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace halftone::report;
using testing::HasSubstr;
using testing::Not;

static size_t count(const std::string &text, const std::string &part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

TEST(ReportHtml, Escapes) { EXPECT_EQ(escaped(R"(<a b="c">'&</a>)"), "&lt;a b=&quot;c&quot;&gt;&#39;&amp;&lt;/a&gt;"); }

TEST(ReportHtml, NamesBringNoMarkup) {
  Report report = example();
  report.tensors[0].name = "</title><script>alert(1)</script>";
  report.options["\"><img>"] = "<b>";
  const std::string page = toHtml(report);
  EXPECT_THAT(page, HasSubstr("m&quot;&lt;odd&gt;&amp;.onnx"));
  for (const char *markup : {"<script", "<img", "<odd", "<b>&"})
    EXPECT_THAT(page, Not(HasSubstr(markup)));
}

TEST(ReportHtml, DrawsEveryLinearOnce) {
  const std::string page = toHtml(example());
  EXPECT_EQ(count(page, "<rect class=\"bits\""), 3u); // two linears and the head
  EXPECT_EQ(count(page, "<title>1 layers.0.q: output error 25.00 %"), 1u);
  EXPECT_EQ(count(page, "<circle class=\"weight"), 3u + 1);            // and the key
  EXPECT_EQ(count(page, "<circle class=\"output worst\" cx"), 2u + 1); // both that are known, and the key
  EXPECT_THAT(page, Not(HasSubstr("nan")));
}

TEST(ReportHtml, ShowsWhatIsKnown) {
  Report report = example();
  EXPECT_THAT(toHtml(report), HasSubstr(">damping</th>"));
  for (Tensor &tensor : report.tensors)
    tensor.outputError = tensor.damp = tensor.weightError = {};
  EXPECT_THAT(toHtml(report), Not(HasSubstr(">damping</th>")));
  EXPECT_THAT(toHtml(Report()), Not(HasSubstr("<svg")));
}
