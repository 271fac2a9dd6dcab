// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rows of tables of every format: exactly what lib/formats decodes.
#include "test/kernels/Compare.h"
#include "test/kernels/Families.h"
#include "test/kernels/Text.h"

namespace halftone::test {
namespace {

constexpr int64_t rows = 37, tokens = 5;
constexpr int64_t ids[tokens] = {0, 36, 15, 16, 3}; // ends of the table and of a tile
constexpr int64_t columnCounts[] = {4, 7, 31, 32, 48, 100, 288, 300};

/// One embedding for each family, columns and scale types in turn.
struct Tables {
  std::vector<Weight> tables;
  EveryWay ways;
  WeightFile file;

  Tables() {
    Random random(1);
    std::string text;
    for (const Family &family : allFamilies()) {
      const int64_t i = family.number, columns = columnCounts[i % 8];
      tables.push_back(randomWeight(family.formats[i % family.formats.size()], rows, columns, random));
      text += file.declare(write("w{0}", i), tables.back());
      text += write("func.func @f{0}(%t: tensor<{1}xi64>) -> {2} {{\n", i, tokens, tensor(tokens, columns));
      text += get("w", write("w{0}", i), tables.back().type());
      text += write("  %x = lowbit.embedding %t, %w : (tensor<{0}xi64>, {1}) -> {2}\n  return %x : {2}\n}\n", tokens,
                    tables.back().type(), tensor(tokens, columns));
    }
    file.write();
    ways.start(text);
  }
};

class Embedding : public testing::TestWithParam<Way> {};

TEST_P(Embedding, IsTheDecodedRow) {
  SKIP_WHEN_MISSING(GetParam());
  static const Tables all;
  Compiled *compiled = all.ways.on(GetParam());
  ASSERT_TRUE(compiled);
  for (size_t i = 0; i < all.tables.size(); ++i) {
    const Weight &table = all.tables[i];
    SCOPED_TRACE(formats::name(table.format) + write(", {0} columns", table.columns));
    ++tally().cases;
    std::vector<float> expected;
    for (int64_t id : ids)
      std::ranges::copy(table.decoded(id), std::back_inserter(expected));
    const Memory in{std::span<const int64_t>(ids)}, out(expected.size() * sizeof(float));
    compiled->call(write("f{0}", i), {in.data(), out.data()});
    expectSame(out.as<float>(), expected, table.columns);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Embedding, testing::ValuesIn(allWays()),
                         [](const auto &info) { return info.param.identifier(); });

} // namespace
} // namespace halftone::test
