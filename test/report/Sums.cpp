// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Totals and ranks.
#include "lib/report/Form.h"

#include "Example.h"

#include <gtest/gtest.h>

using namespace halftone::report;

static std::vector<std::string> namesOf(const std::vector<const Tensor *> &tensors) {
  std::vector<std::string> names;
  for (const Tensor *tensor : tensors)
    names.push_back(tensor->name);
  return names;
}

TEST(Report, HeadIsNoLinearAmongTheSums) {
  EXPECT_EQ(totalOfLinears(example()).tensors, 2u);
  EXPECT_EQ(totalOfLinears(example()).bits(), 4.5);
  EXPECT_EQ(totalOfAll(example()).bytes, 144u + 144 + 2176 + 128);
  EXPECT_EQ(totalOfLinears(Report()).bits(), 0);
}

TEST(Report, WorstIsByOutputsWhereTheyAreKnown) {
  Report report = example();
  EXPECT_EQ(namesOf(worst(report, 10)), (std::vector<std::string>{"layers.0.q", "layers.0.v"}));
  EXPECT_EQ(namesOf(worst(report, 1)), std::vector<std::string>{"layers.0.q"});
  for (Tensor &tensor : report.tensors)
    tensor.outputError.reset();
  EXPECT_EQ(namesOf(worst(report, 10)), (std::vector<std::string>{"head", "layers.0.v", "layers.0.q"}));
  EXPECT_TRUE(worst(Report(), 10).empty());
}

TEST(Report, FormIsTheEndingOfThePath) {
  EXPECT_EQ(formOf("a/b.json"), Form::Json);
  EXPECT_EQ(formOf("b.html"), Form::Html);
  EXPECT_EQ(formOf("json"), std::nullopt);
  EXPECT_EQ(formOf(""), std::nullopt);
}
