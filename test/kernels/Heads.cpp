// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rotary embeddings, and attention over a cache that grows.
#include "lib/formats/Scalar.h"
#include "test/kernels/Compare.h"
#include "test/kernels/Text.h"

namespace halftone::test {
namespace {

//===-- Rotary embeddings
//-------------------------------------------------------------------------------------------===//

struct Rope {
  int64_t heads, size, pairs;
  bool interleaved;
  int64_t tokens;
};

constexpr Rope ropes[] = {
    {6, 48, 24, false, 1}, {6, 48, 24, true, 5}, {2, 8, 4, false, 5},    {3, 64, 16, false, 3},
    {2, 20, 5, true, 3},   {1, 64, 32, true, 1}, {2, 100, 50, false, 1}, {4, 10, 3, false, 4},
};
constexpr int64_t positions = 128, pasts[] = {0, 1, 15, 16, 17, 100};

struct Ropes {
  std::vector<Weight> cos, sin;
  EveryWay ways;
  WeightFile file;

  Ropes() {
    Random random(10);
    std::string text;
    for (const Rope &rope : ropes) {
      const size_t i = cos.size();
      cos.push_back(plainWeight(positions, rope.pairs, random.values(positions * rope.pairs)));
      sin.push_back(plainWeight(positions, rope.pairs, random.values(positions * rope.pairs)));
      text += file.declare(write("cos{0}", i), cos.back()) + file.declare(write("sin{0}", i), sin.back());
      text += write("func.func @rope{0}(%x: {1}, %past: index) -> {1} {{\n", i,
                    tensor(rope.tokens, rope.heads * rope.size));
      text += get("cos", write("cos{0}", i), cos.back().type()) + get("sin", write("sin{0}", i), sin.back().type());
      text += write("  %y = lowbit.rope %x, %cos, %sin at %past heads {0} {1} : {2}, {3}\n  return %y : {2}\n}\n",
                    rope.heads, rope.interleaved ? "interleaved" : "", tensor(rope.tokens, rope.heads * rope.size),
                    cos.back().type());
    }
    file.write();
    ways.start(text);
  }
};

/// lowbit.rope, each product and sum rounded.
std::vector<float> rotated(const Rope &rope, const Weight &cos, const Weight &sin, std::vector<float> x, int64_t past) {
  for (int64_t t = 0; t < rope.tokens; ++t)
    for (int64_t h = 0; h < rope.heads; ++h)
      for (int64_t i = 0; i < rope.pairs; ++i) {
        float *head = &x[(t * rope.heads + h) * rope.size];
        float &a = head[rope.interleaved ? 2 * i : i], &b = head[rope.interleaved ? 2 * i + 1 : i + rope.pairs];
        const float c = cos.row(past + t).values[i], s = sin.row(past + t).values[i];
        const float ac = a * c, bs = b * s, bc = b * c, as = a * s;
        a = ac - bs;
        b = bc + as;
      }
  return x;
}

class Heads : public testing::TestWithParam<Way> {
protected:
  void SetUp() override { SKIP_WHEN_MISSING(GetParam()); }
};

TEST_P(Heads, RotatePairsByThePosition) {
  static const Ropes all;
  Compiled *compiled = all.ways.on(GetParam());
  ASSERT_TRUE(compiled);
  Random random(11);
  for (size_t i = 0; i < std::size(ropes); ++i)
    for (const int64_t past : pasts) {
      const Rope &rope = ropes[i];
      SCOPED_TRACE(write("heads {0}, size {1}, pairs {2}, past {3}", rope.heads, rope.size, rope.pairs, past));
      ++tally().cases;
      const int64_t width = rope.heads * rope.size;
      const std::vector<float> x = random.values(rope.tokens * width, 3);
      const Memory in{std::span<const float>(x)}, out(x.size() * sizeof(float));
      compiled->call(write("rope{0}", i), {in.data(), past, out.data()});
      expectSame(out.as<float>(), rotated(rope, all.cos[i], all.sin[i], x, past), width);
    }
}

//===-- Attention
//---------------------------------------------------------------------------------------------------===//

struct Attention {
  int64_t heads, cacheHeads, size;
  float scale;
};

constexpr Attention attentions[] = {
    {2, 2, 8, 0.35f}, {6, 2, 48, 0.14f}, {4, 1, 64, 0.125f}, {3, 3, 20, 1.0f}, {2, 1, 7, 0.5f},
};
constexpr int64_t chunks[] = {1, 5, 32};

/// What a cache can keep keys and values in.
enum class Stored { F32, F16, Int8, Int4 };
constexpr Stored allStored[] = {Stored::F32, Stored::F16, Stored::Int8, Stored::Int4};
constexpr const char *names[] = {"f32", "f16", "int8", "int4"};

std::string cacheType(const Attention &a, Stored stored) {
  const std::string format = stored == Stored::F32 ? ""
                             : stored == Stored::F16
                                 ? ", <f16>"
                                 : write(", <{0}, block {1}, scale f32>", names[static_cast<int>(stored)], a.size);
  return write("!lowbit.cache<heads {0}, size {1}{2}>", a.cacheHeads, a.size, format);
}

/// What a cache gives back of one head of one token.
std::vector<double> kept(std::span<const float> head, Stored stored) {
  std::vector<double> back;
  if (stored == Stored::F32 || stored == Stored::F16) {
    for (const float value : head)
      back.push_back(stored == Stored::F32 ? value : formats::fromF16(formats::toF16(value)));
    return back;
  }
  const float limit = stored == Stored::Int8 ? 127 : 7;
  float absmax = 0;
  for (const float value : head)
    absmax = std::max(absmax, std::fabs(value));
  const float scale = absmax / limit;
  for (const float value : head)
    back.push_back(scale == 0 ? 0 : static_cast<double>(scale) * std::nearbyint(value / scale));
  return back;
}

/// For each attention and number of tokens a function that appends keys and values and attends.
struct Attentions {
  EveryWay ways;

  explicit Attentions(Stored stored) {
    std::string text;
    for (size_t i = 0; i < std::size(attentions); ++i) {
      const Attention &a = attentions[i];
      if (stored == Stored::Int4 && a.size % 2 != 0)
        continue;
      const std::string cache = cacheType(a, stored);
      text += write("lowbit.cache @cache{0} : {1}\n", i, cache);
      for (const int64_t tokens : chunks)
        text += write("func.func @attend{0}x{1}(%q: {2}, %k: {3}, %v: {3}, %past: index) -> {2} {{\n"
                      "  %c = lowbit.get @cache{0} : {4}\n"
                      "  lowbit.append %k, %v to %c at %past : {3}, {4}\n"
                      "  %y = lowbit.attention %q, %c at %past heads {5} scale {6} : {2}, {4}\n"
                      "  return %y : {2}\n}\n",
                      i, tokens, tensor(tokens, a.heads * a.size), tensor(tokens, a.cacheHeads * a.size), cache,
                      a.heads, llvm::formatv("{0:f9}", a.scale));
    }
    ways.start(text);
  }
};

/// Upstream's polynomial for exp: as passes/codegen/Passes.td promises it.
constexpr double expError = 2e-7;

/// One head of one token: the exact result and how far f32 arithmetic in any order, fused or not, may be from it.
/// A score of n products, scaled by what codes are worth and by `scale`, is off by at most e = (n + 3) u scale sum|q
/// k|; subtracting the largest score adds u of the difference. So each weight exp(..), times what codes are worth, is
/// off by a factor within exp(2 e + u d) (1 + expError) (1 + u), d the largest difference; one that is too small to be
/// normal may be 0. A quotient of weighted sums whose weights are off by r of themselves is off by at most 2 r A / (1 -
/// r), A = sum w |v| / sum w. The sums of p terms round 2 p + 2 times in all.
void attend(const Attention &a, std::span<const float> query, int64_t head, const std::vector<double> &keys,
            const std::vector<double> &values, int64_t count, std::vector<float> &expected,
            std::vector<double> &bounds) {
  const int64_t width = a.cacheHeads * a.size, column = head / (a.heads / a.cacheHeads) * a.size;
  std::vector<double> scores(count);
  double largest = -INFINITY, smallest = INFINITY, error = 0, sum = 0;
  for (int64_t p = 0; p < count; ++p) {
    double score = 0, magnitude = 0;
    for (int64_t c = 0; c < a.size; ++c) {
      const double product = static_cast<double>(query[head * a.size + c]) * keys[p * width + column + c];
      score += product;
      magnitude += std::fabs(product);
    }
    scores[p] = score * a.scale;
    error = std::max(error, (a.size + 3) * roundoff * a.scale * magnitude);
    largest = std::max(largest, scores[p]);
    smallest = std::min(smallest, scores[p]);
  }
  for (double &score : scores)
    sum += score = std::exp(score - largest);
  const double relative = std::expm1(2 * error + roundoff * (largest - smallest)) + expError + roundoff;
  for (int64_t c = 0; c < a.size; ++c) {
    double mixed = 0, magnitude = 0, widest = 0;
    for (int64_t p = 0; p < count; ++p) {
      const double value = values[p * width + column + c];
      mixed += scores[p] * value;
      magnitude += scores[p] * std::fabs(value);
      widest = std::max(widest, std::fabs(value));
    }
    expected.push_back(static_cast<float>(mixed / sum));
    bounds.push_back(1.01 * (2 * relative / (1 - relative) + (2 * count + 3) * roundoff) * magnitude / sum +
                     2 * count * 0x1p-126 * widest + 0x1p-149);
  }
}

/// A sequence that grows, its keys and values.
class Sequence {
public:
  Sequence(Compiled &module, size_t number, float spread, Stored stored)
      : module(module), number(number), a(attentions[number]), spread(spread), stored(stored), random(number),
        cache(module.makeCache(160)) {}

  /// Appends `tokens` tokens and checks what they attend to.
  void append(int64_t tokens) {
    const int64_t past = keys.size() / (a.cacheHeads * a.size), width = a.heads * a.size;
    SCOPED_TRACE(
        write("heads {0} of {1}, size {2}, past {3}, {4} tokens", a.heads, a.cacheHeads, a.size, past, tokens));
    ++tally().cases;
    const std::vector<float> q = random.values(tokens * width, spread),
                             k = random.values(tokens * a.cacheHeads * a.size, spread),
                             v = random.values(tokens * a.cacheHeads * a.size, 2);
    for (int64_t head = 0; head < tokens * a.cacheHeads; ++head) {
      for (const double value : kept(std::span(k).subspan(head * a.size, a.size), stored))
        keys.push_back(value);
      for (const double value : kept(std::span(v).subspan(head * a.size, a.size), stored))
        values.push_back(value);
    }
    const Memory queries{std::span<const float>(q)}, newKeys{std::span<const float>(k)},
        newValues{std::span<const float>(v)}, out(q.size() * sizeof(float));
    module.call(write("attend{0}x{1}", number, tokens),
                {queries.data(), newKeys.data(), newValues.data(), past, out.data()}, 1, cache.data());
    std::vector<float> expected;
    std::vector<double> bounds;
    for (int64_t t = 0; t < tokens; ++t)
      for (int64_t h = 0; h < a.heads; ++h)
        attend(a, std::span(q).subspan(t * width, width), h, keys, values, past + t + 1, expected, bounds);
    expectWithin(out.as<float>(), expected, width, [&](int64_t t, int64_t c) { return bounds[t * width + c]; });
  }

private:
  Compiled &module;
  size_t number;
  const Attention &a;
  float spread;
  Stored stored;
  Random random;
  Memory cache; // NaN where nothing was appended
  std::vector<double> keys, values;
};

/// How a module is compiled, and what its caches store.
class Caches : public testing::TestWithParam<std::tuple<Way, Stored>> {
protected:
  void SetUp() override { SKIP_WHEN_MISSING(std::get<Way>(GetParam())); }
};

TEST_P(Caches, AttendToWhatWasAppended) {
  static std::map<Stored, Attentions> all;
  const auto [way, stored] = GetParam();
  Compiled *compiled = all.try_emplace(stored, stored).first->second.ways.on(way);
  ASSERT_TRUE(compiled);
  for (size_t i = 0; i < std::size(attentions); ++i) {
    if (stored == Stored::Int4 && attentions[i].size % 2 != 0)
      continue;
    for (const float spread : {1.0f, 6.0f}) { // soft and sharp
      Sequence decoded(*compiled, i, spread, stored);
      // What is stored changes nothing about how positions are walked.
      const int64_t last = stored == Stored::F32 ? 102 : 34;
      for (int64_t past = 0; past <= last; ++past)
        decoded.append(1);
      Sequence chunked(*compiled, i, spread, stored);
      for (const int64_t tokens : {5, 5, 5, 1, 1, 32, 32, 5, 5, 32}) // pasts 0, 5, 10, 15, 16, 17, 49, 81, 86, 91
        chunked.append(tokens);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Heads, testing::ValuesIn(allWays()),
                         [](const auto &info) { return info.param.identifier(); });

INSTANTIATE_TEST_SUITE_P(All, Caches, testing::Combine(testing::ValuesIn(allWays()), testing::ValuesIn(allStored)),
                         [](const auto &info) {
                           return std::get<Way>(info.param).identifier() + "_" +
                                  names[static_cast<int>(std::get<Stored>(info.param))];
                         });

} // namespace
} // namespace halftone::test
