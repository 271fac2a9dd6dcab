// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A whole transformer block, called twice with different weights: the same bits for every number of threads, and as
// one function as by calls.
#include "test/kernels/Compare.h"
#include "test/kernels/Text.h"

namespace halftone::test {
namespace {

constexpr int64_t width = 60, heads = 5, cacheHeads = 1, size = 12, hidden = 100, positions = 64, layers = 2;
constexpr int64_t chunks[] = {1, 6};

struct Part {
  const char *name;
  int64_t rows, columns;
};
constexpr Part parts[] = {{"q", heads * size, width}, {"k", cacheHeads * size, width}, {"v", cacheHeads * size, width},
                          {"o", width, heads * size}, {"gate", hidden, width},         {"up", hidden, width},
                          {"down", width, hidden}};

/// One block for `tokens` tokens: %x, its weights by name and %past to %y.
std::string body(int64_t tokens, const formats::Format &format) {
  const std::string x = tensor(tokens, width), q = tensor(tokens, heads * size), k = tensor(tokens, cacheHeads * size),
                    h = tensor(tokens, hidden), ax = activation(tokens, width, format),
                    ah = activation(tokens, hidden, format),
                    cache = write("!lowbit.cache<heads {0}, size {1}>", cacheHeads, size);
  auto weight = [&](const Part &part) { return Weight{format, part.rows, part.columns, {}}.type(); };
  const std::string angles = Weight{formats::Format::plain(formats::Scalar::F32), positions, size / 2, {}}.type();
  auto linear = [&](const char *result, const char *input, const std::string &type, const Part &part) {
    return write("  %{0} = lowbit.linear %{1}, %w{2} : ({3}, {4}) -> {5}\n", result, input, part.name, type,
                 weight(part), tensor(tokens, part.rows));
  };
  auto quantize = [&](const char *result, const char *input, const std::string &from, const std::string &to) {
    return write("  %{0} = lowbit.quantize_activation %{1} : {2} -> {3}\n", result, input, from, to);
  };
  return write("  %n1 = lowbit.rms_norm %x epsilon 1.0e-05 : {0}\n", x) + quantize("a1", "n1", x, ax) +
         linear("q", "a1", ax, parts[0]) + linear("k", "a1", ax, parts[1]) + linear("v", "a1", ax, parts[2]) +
         write("  %qr = lowbit.rope %q, %cos, %sin at %past heads {0} : {1}, {2}\n", heads, q, angles) +
         write("  %kr = lowbit.rope %k, %cos, %sin at %past heads {0} : {1}, {2}\n", cacheHeads, k, angles) +
         write("  lowbit.append %kr, %v to %cache at %past : {0}, {1}\n", k, cache) +
         write("  %att = lowbit.attention %qr, %cache at %past heads {0} scale 0.288675 : {1}, {2}\n", heads, q,
               cache) +
         quantize("a2", "att", q, ax) + linear("o", "a2", ax, parts[3]) +
         write("  %x2 = arith.addf %x, %o : {0}\n", x) +
         write("  %n2 = lowbit.rms_norm %x2 epsilon 1.0e-05 : {0}\n", x) + quantize("a3", "n2", x, ax) +
         linear("g", "a3", ax, parts[4]) + linear("u", "a3", ax, parts[5]) +
         write("  %ones = arith.constant dense<1.0> : {0}\n  %neg = arith.negf %g : {0}\n  %exp = math.exp %neg : {0}\n"
               "  %sum = arith.addf %exp, %ones : {0}\n  %s = arith.divf %ones, %sum : {0}\n"
               "  %act = arith.mulf %g, %s : {0}\n  %m = arith.mulf %act, %u : {0}\n",
               h) +
         quantize("a4", "m", h, ah) + linear("d", "a4", ah, parts[6]) + write("  %y = arith.addf %x2, %d : {0}\n", x);
}

/// A whole block takes long to compile: the oracle, the plainest processor, this one, and one of another family.
const std::vector<Way> someWays = {
    referenceWay(), {.target = "x86-64"}, {.target = "native"}, {.target = "neoverse-n1"}};

/// Both layers as calls of one block, and as one function.
struct Blocks {
  EveryWay ways;
  WeightFile file;

  Blocks() {
    Random random(20);
    const formats::Format format = formats::Format::integer(4, 32);
    std::string text;
    for (int64_t layer = 0; layer < layers; ++layer) {
      text += write("lowbit.cache @cache{0} : !lowbit.cache<heads {1}, size {2}>\n", layer, cacheHeads, size);
      for (const Part &part : parts)
        text += file.declare(write("{0}{1}", part.name, layer), randomNormal(format, part, random));
    }
    for (const char *table : {"cos", "sin"})
      text += file.declare(table, plainWeight(positions, size / 2, random.values(positions * size / 2)));
    for (const int64_t tokens : chunks)
      text += callee(tokens, format) + caller(tokens, format);
    text += inlined(1, format);
    file.write();
    ways.start(text, someWays);
  }

  static const Blocks &get() {
    static const Blocks all;
    return all;
  }

private:
  /// Odd rows of randomWeight only: encoded values, for results of the size that models have.
  static Weight randomNormal(const formats::Format &format, const Part &part, Random &random) {
    Weight twice = randomWeight(format, 2 * part.rows, part.columns, random),
           result{format, part.rows, part.columns, {}};
    for (int64_t r = 0; r < part.rows; ++r)
      result.content.push_back(std::move(twice.content[2 * r + 1]));
    return result;
  }

  struct Handle {
    std::string value, name, type;
  };
  /// The handles that a block takes, of layer `layer`.
  static std::vector<Handle> handles(const formats::Format &format, int64_t layer) {
    std::vector<Handle> all;
    for (const Part &part : parts)
      all.push_back({write("w{0}", part.name), write("{0}{1}", part.name, layer),
                     Weight{format, part.rows, part.columns, {}}.type()});
    const std::string angles = Weight{formats::Format::plain(formats::Scalar::F32), positions, size / 2, {}}.type();
    all.push_back({"cos", "cos", angles});
    all.push_back({"sin", "sin", angles});
    all.push_back({"cache", write("cache{0}", layer), write("!lowbit.cache<heads {0}, size {1}>", cacheHeads, size)});
    return all;
  }

  static std::string callee(int64_t tokens, const formats::Format &format) {
    std::string text = write("func.func private @block{0}(%x: {1}, %past: index", tokens, tensor(tokens, width));
    for (const Handle &handle : handles(format, 0))
      text += write(", %{0}: {1}", handle.value, handle.type);
    return text + write(") -> {0} {{\n", tensor(tokens, width)) + body(tokens, format) +
           write("  return %y : {0}\n}\n", tensor(tokens, width));
  }

  static std::string caller(int64_t tokens, const formats::Format &format) {
    const std::string x = tensor(tokens, width);
    std::string text = write("func.func @called{0}(%x0: {1}, %past: index) -> {1} {{\n", tokens, x);
    for (int64_t layer = 0; layer < layers; ++layer) {
      std::string operands, types;
      for (const Handle &handle : handles(format, layer)) {
        const std::string value = write("{0}_{1}", handle.value, layer);
        text += test::get(value, handle.name, handle.type);
        operands += ", %" + value;
        types += ", " + handle.type;
      }
      text += write("  %x{0} = call @block{1}(%x{2}, %past{3}) : ({4}, index{5}) -> {4}\n", layer + 1, tokens, layer,
                    operands, x, types);
    }
    return text + write("  return %x{0} : {1}\n}\n", layers, x);
  }

  static std::string inlined(int64_t tokens, const formats::Format &format) {
    const std::string x = tensor(tokens, width);
    std::string text = write("func.func @inlined{0}(%x0: {1}, %past: index) -> {1} {{\n", tokens, x);
    for (int64_t layer = 0; layer < layers; ++layer) {
      std::string renamed = body(tokens, format);
      std::string part;
      for (size_t at = 0; at < renamed.size(); ++at) { // %name becomes %name_layer
        part += renamed[at];
        if (renamed[at] != '%')
          continue;
        std::string name;
        while (std::isalnum(static_cast<unsigned char>(renamed[at + 1])))
          name += renamed[++at];
        part += name == "past" ? name
                : name == "x"  ? write("x{0}", layer)
                : name == "y"  ? write("x{0}", layer + 1)
                               : write("{0}_{1}", name, layer);
      }
      for (const Handle &handle : handles(format, layer))
        text += test::get(write("{0}_{1}", handle.value, layer), handle.name, handle.type);
      text += part;
    }
    return text + write("  return %x{0} : {1}\n}\n", layers, x);
  }
};

class Threads : public testing::TestWithParam<Way> {
protected:
  void SetUp() override {
    SKIP_WHEN_MISSING(GetParam());
    module = Blocks::get().ways.on(GetParam());
    ASSERT_TRUE(module);
    ++tally().cases;
  }

  /// The outputs of calls with these numbers of tokens, one after the other.
  std::vector<float> run(const char *kind, int threads, const std::vector<int64_t> &calls = {6, 6, 1, 1, 6, 1}) {
    Random random(21);
    const Memory cache = module->makeCache(positions);
    std::vector<float> all;
    int64_t past = 0;
    for (const int64_t tokens : calls) {
      const std::vector<float> x = random.values(tokens * width, 3);
      const Memory in{std::span<const float>(x)}, out(x.size() * sizeof(float));
      module->call(write("{0}{1}", kind, tokens), {in.data(), past, out.data()}, threads, cache.data());
      std::ranges::copy(out.as<float>(), std::back_inserter(all));
      past += tokens;
    }
    return all;
  }

  Compiled *module = nullptr;
};

TEST_P(Threads, DoNotChangeABit) {
  const std::vector<float> alone = run("called", 1);
  for (const float value : alone)
    ASSERT_TRUE(std::isfinite(value));
  for (const int threads : {2, 3, 4, 7})
    for (int repetition = 0; repetition < 5; ++repetition)
      expectSame(run("called", threads), alone, width);
}

TEST_P(Threads, NorDoCalls) { expectSame(run("inlined", 2, {1, 1, 1}), run("called", 2, {1, 1, 1}), width); }

/// A team larger than there is work, and one whose size divides nothing.
TEST_P(Threads, MayHaveNothingToDo) { expectSame(run("called", 64), run("called", 1), width); }

INSTANTIATE_TEST_SUITE_P(All, Threads, testing::ValuesIn(someWays),
                         [](const auto &info) { return info.param.identifier(); });

} // namespace
} // namespace halftone::test
