// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The inner loop of the matrix products, counted instead of timed: the dots that a block needs, each code decoded once,
// and nothing on the stack.
#include "test/kernels/Compiled.h"
#include "test/kernels/Text.h"

#include <gtest/gtest.h>
#include <sstream>

namespace halftone::test {
namespace {

using Lines = std::vector<std::string>;

/// The loops of an assembly text that have no loop inside: what lies between a label and a jump back to it.
std::vector<Lines> innerLoops(const std::string &assembly) {
  std::vector<Lines> loops;
  Lines sinceLabel;
  std::string label;
  std::istringstream text(assembly);
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with(".LBB")) {
      label = line.substr(0, line.find(':'));
      sinceLabel.clear();
    } else if (!label.empty() && line.starts_with("\tj") && line.ends_with("\t" + label)) {
      loops.push_back(sinceLabel);
    } else {
      sinceLabel.push_back(line);
    }
  }
  return loops;
}

/// How many of `lines` contain `what`.
int64_t count(const Lines &lines, const std::string &what) {
  return std::ranges::count_if(lines, [&](const std::string &line) { return line.find(what) != std::string::npos; });
}

std::string join(const Lines &lines) {
  std::string text;
  for (const std::string &line : lines)
    text += line + "\n";
  return text;
}

/// The block loop of a linear with 2048 columns: the one inner loop with dots.
Lines blockLoop(const formats::Format &format, int64_t tokens) {
  Random random(30);
  WeightFile file;
  const Weight weight = randomWeight(format, 32, 2048, random);
  const std::string in = tensor(tokens, 2048), out = tensor(tokens, 32), type = activation(tokens, 2048, format);
  const std::string text = file.declare("w", weight) + write("func.func @f(%x: {0}) -> {1} {{\n", in, out) +
                           get("w", "w", weight.type()) +
                           write("  %a = lowbit.quantize_activation %x : {0} -> {1}\n"
                                 "  %y = lowbit.linear %a, %w : ({1}, {2}) -> {3}\n  return %y : {3}\n}\n",
                                 in, type, weight.type(), out);
  file.write();
  const std::string assembly = assemble(text, {.target = "icelake-server"});
  std::vector<Lines> found;
  for (const Lines &loop : innerLoops(assembly))
    if (count(loop, "vpdpbusd") > 0)
      found.push_back(loop);
  if (found.size() != 1) {
    ADD_FAILURE() << found.size() << " inner loops with dots in\n" << assembly;
    return {};
  }
  return found.front();
}

struct Expectation {
  int bits;
  int64_t tokens;
  /// Lines of 64 bytes in a block of 32 columns: 8 vectors of 4 columns, over all planes.
  int64_t lines;
};

void PrintTo(const Expectation &wanted, std::ostream *out) { *out << "int" << wanted.bits; }

class InnerLoop : public testing::TestWithParam<Expectation> {};

TEST_P(InnerLoop, HasOneDotForFourColumnsOfAToken) {
  const auto [bits, tokens, lines] = GetParam();
  const Lines loop = blockLoop(formats::Format::integer(bits, 32), tokens);
  EXPECT_EQ(count(loop, "vpdpbusd"), 32 / 4 * tokens) << join(loop);
  EXPECT_EQ(count(loop, "rsp"), 0) << join(loop);
  EXPECT_EQ(count(loop, "vcvtph2ps"), 1) << "scales of 16 rows\n" << join(loop);
  EXPECT_EQ(count(loop, "vfmadd"), tokens) << join(loop);
  // Every line and the scales are fetched ahead when each is used once.
  EXPECT_EQ(count(loop, "prefetcht0"), tokens == 1 ? lines + 1 : 0) << join(loop);
  EXPECT_EQ(count(loop, "call"), 0) << join(loop);
}

INSTANTIATE_TEST_SUITE_P(All, InnerLoop,
                         testing::Values(Expectation{4, 1, 4}, Expectation{8, 1, 8}, Expectation{3, 1, 3},
                                         Expectation{2, 1, 2}, Expectation{4, 4, 4}, Expectation{8, 4, 8}),
                         [](const auto &info) {
                           return write("int{0}_{1}_tokens", info.param.bits, info.param.tokens);
                         });

} // namespace
} // namespace halftone::test
