// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Linears of every format and odd shapes: the reference lowering against plain C++ bit by bit, every target against it.
#include "test/kernels/Expected.h"
#include "test/kernels/Families.h"
#include "test/kernels/Text.h"

#include <set>

namespace halftone::test {
namespace {

using formats::Format;

struct Shape {
  int64_t rows, columns, tokens;
};

constexpr int64_t rowCounts[] = {1, 5, 16, 17, 48, 100}, columnCounts[] = {4, 7, 31, 32, 48, 100, 288, 1100},
                  tokenCounts[] = {1, 3, 4, 5, 32};

/// Shapes around the sizes of tiles, vectors and blocks. Eight consecutive ones have each number of columns once, 240
/// every triple.
constexpr Shape shapeNumber(int64_t i) {
  const int64_t column = i % 8, turn = i / 8;
  return {rowCounts[(column + turn) % 6], columnCounts[column], tokenCounts[(column + turn / 6) % 5]};
}

TEST(Shapes, AllComeUp) {
  std::set<std::tuple<int64_t, int64_t, int64_t>> seen;
  for (int64_t i = 0; i < 240; ++i) {
    const auto [rows, columns, tokens] = shapeNumber(i);
    seen.insert({rows, columns, tokens});
  }
  EXPECT_EQ(seen.size(), std::size(rowCounts) * std::size(columnCounts) * std::size(tokenCounts));
}

/// What the activations of a token are like.
enum class Kind {
  Exact,   ///< every block's scale is a power of two; half of the values lie between two codes
  General, ///< any values
  Edges,   ///< blocks of zeros, of huge, of denormal, of equally large values
};
constexpr int64_t kinds = 3;

void fill(std::span<float> block, Kind kind, Random &random) {
  const float unit = std::ldexp(1.0f, random.integer(-8, 8));
  const int64_t edge = random.integer(0, 3);
  for (float &x : block)
    switch (kind) {
    case Kind::Exact:
      x = unit * 0.5f * random.integer(-253, 253);
      break;
    case Kind::General:
      x = 10 * random.value();
      break;
    case Kind::Edges:
      x = edge == 0   ? 0
          : edge == 1 ? 1e30f * random.value()
          : edge == 2 ? 0x1p-149f * random.integer(-200, 200)
                      : unit * (random.integer(0, 1) ? 1.0f : -1.0f);
    }
  if (kind == Kind::Exact)
    block[random.integer(0, block.size() - 1)] = random.integer(0, 1) ? 127 * unit : -127 * unit;
}

/// Activations of `tokens` tokens; the kind of token t is (t + turn) % 3.
std::vector<float> activations(const Format &format, const Shape &shape, int64_t turn, Random &random) {
  std::vector<float> all(shape.tokens * shape.columns);
  for (int64_t t = 0; t < shape.tokens; ++t)
    for (int64_t b = 0; b < format.blockCount(shape.columns); ++b)
      fill(std::span(all).subspan(t * shape.columns + format.blockStart(b), format.blockLength(shape.columns, b)),
           static_cast<Kind>((t + turn) % kinds), random);
  return all;
}

struct Case {
  Shape shape;
  Weight weight;
  /// For each turn of the kinds: what goes in, what comes out, how far a fused result may be from it.
  std::vector<float> inputs[kinds];
  std::vector<float> results[kinds];
  std::vector<double> bounds[kinds];

  Case(const Format &format, const Shape &shape, Random &random)
      : shape(shape), weight(randomWeight(format, shape.rows, shape.columns, random)) {
    for (int64_t turn = 0; turn < kinds; ++turn) {
      inputs[turn] = activations(format, shape, turn, random);
      for (int64_t t = 0; t < shape.tokens; ++t)
        for (int64_t r = 0; r < shape.rows; ++r) {
          const auto x = std::span(inputs[turn]).subspan(t * shape.columns, shape.columns);
          const Result result = roundsActivations(format) ? pairResult(weight, r, x)
                                : format.isPlain()        ? floatResult(weight, r, x)
                                                          : integerResult(weight, r, x);
          results[turn].push_back(result.value);
          bounds[turn].push_back(result.bound);
        }
    }
  }

  std::string function(const std::string &name) const;
};

std::string Case::function(const std::string &name) const {
  const std::string in = tensor(shape.tokens, shape.columns), out = tensor(shape.tokens, shape.rows);
  const bool isPlain = weight.format.isPlain(), isRounded = roundsActivations(weight.format);
  const std::string rounded = write("!lowbit.activation<{0}x{1}, #lowbit.format<bf16>>", shape.tokens, shape.columns);
  const std::string type = isRounded ? rounded : isPlain ? in : activation(shape.tokens, shape.columns, weight.format);
  std::string text = write("func.func @{0}(%x: {1}) -> {2} {{\n", name, in, out);
  text += get("w", "w_" + name, weight.type());
  if (!isPlain || isRounded)
    text += write("  %a = lowbit.quantize_activation %x : {0} -> {1}\n", in, type);
  return text + write("  %y = lowbit.linear %{0}, %w : ({1}, {2}) -> {3}\n  return %y : {3}\n}\n",
                      isPlain && !isRounded ? "x" : "a", type, weight.type(), out);
}

/// Vectors of another width than the target's own differ from both in little: a third of the formats shows it.
std::vector<Way> waysOf(const Family &family) {
  std::vector<Way> ways = allWays();
  if (family.number % 3 != 0)
    std::erase_if(ways, [](const Way &way) { return way.vector != 0; });
  return ways;
}

/// The linears of a family as one module; the last one made stays, for the next way.
class Module {
public:
  static const Module &of(const Family &family) {
    static std::unique_ptr<Module> last;
    if (!last || last->number != family.number)
      last.reset(new Module(family));
    return *last;
  }

  std::vector<Case> cases;
  EveryWay ways;

private:
  explicit Module(const Family &family) : number(family.number) {
    Random random(family.number);
    std::string text;
    // Families of plain formats are few, so each has every number of columns with every number of tokens.
    const int64_t turns = family.formats.front().isPlain() ? std::size(tokenCounts) : 1;
    for (int64_t i = 0; i < turns * std::ssize(columnCounts); ++i) {
      const std::string name = "f" + std::to_string(i);
      const Format &format = family.formats[i % family.formats.size()];
      const int64_t turn = number + i / std::ssize(columnCounts) * std::ssize(rowCounts);
      cases.emplace_back(format, shapeNumber(turn * std::ssize(columnCounts) + i % std::ssize(columnCounts)), random);
      text += file.declare("w_" + name, cases.back().weight) + cases.back().function(name);
    }
    file.write();
    ways.start(text, waysOf(family));
  }

  int64_t number;
  WeightFile file;
};
class Linear : public testing::TestWithParam<std::tuple<Family, Way>> {};

TEST_P(Linear, ComputesWhatItSays) {
  const auto &[family, way] = GetParam();
  SKIP_WHEN_MISSING(way);
  const Module &module = Module::of(family);
  const auto compiled = module.ways.on(way);
  ASSERT_TRUE(compiled);
  const bool mayDiffer = canFuse(way) || (!way.reference && roundsActivations(family.formats.front()));
  for (size_t i = 0; i < module.cases.size(); ++i) {
    const Case &linear = module.cases[i];
    const auto &[rows, columns, tokens] = linear.shape;
    SCOPED_TRACE(formats::name(linear.weight.format) + ", " + std::to_string(rows) + " x " + std::to_string(columns) +
                 ", " + std::to_string(tokens) + " tokens");
    ++tally().cases;
    for (int64_t turn = 0; turn < kinds; ++turn) {
      const Memory in{std::span<const float>(linear.inputs[turn])}, out(tokens * rows * sizeof(float));
      compiled->call("f" + std::to_string(i), {in.data(), out.data()});
      expectWithin(out.as<float>(), linear.results[turn], rows, [&](int64_t token, int64_t row) {
        const bool isExact = !linear.weight.format.isPlain() && hasExactSteps(linear.weight.format, row) &&
                             static_cast<Kind>((token + turn) % kinds) == Kind::Exact;
        return mayDiffer && !isExact ? linear.bounds[turn][token * rows + row] : 0;
      });
      if (HasFatalFailure())
        break;
    }
  }
}

std::string nameOf(const testing::TestParamInfo<Linear::ParamType> &info) {
  return std::get<Family>(info.param).name() + "_on_" + std::get<Way>(info.param).identifier();
}

std::vector<std::tuple<Family, Way>> allFamiliesOnTheirWays() {
  std::vector<std::tuple<Family, Way>> all;
  for (const Family &family : allFamilies())
    for (const Way &way : waysOf(family))
      all.emplace_back(family, way);
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, Linear, testing::ValuesIn(allFamiliesOnTheirWays()), nameOf);

} // namespace
} // namespace halftone::test
