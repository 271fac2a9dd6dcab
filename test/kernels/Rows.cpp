// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Norms, elementwise operations, exponentials, activation quantization, and what they are fused with.
#include "test/kernels/Expected.h"
#include "test/kernels/Text.h"

namespace halftone::test {
namespace {

const formats::Format int4 = formats::Format::integer(4, 32);

/// Upstream's polynomial for exp: as passes/codegen/Passes.td promises it.
constexpr double expError = 2e-7;

constexpr int64_t sizes[] = {4, 7, 31, 48, 100, 288}, tokens = 3, rows = 37, channels = 100;
constexpr float epsilon = 1e-5f;

/// The functions of this file in one module.
struct Functions {
  EveryWay ways;
  WeightFile file;
  std::map<int64_t, Weight> scales;
  Weight first, second, bias, shift;
  std::string text;

  Functions() {
    Random random(2);
    for (int64_t size : sizes)
      addNorms(size, random);
    first = randomWeight(int4, rows, channels, random);
    second = randomWeight(int4, rows, channels, random);
    bias = plainWeight(1, rows, random.values(rows, 5));
    shift = plainWeight(1, channels, random.values(channels, 5));
    text += file.declare("first", first) + file.declare("second", second);
    text += file.declare("bias", bias, /*isVector=*/true) + file.declare("shift", shift, /*isVector=*/true);
    addLinears();
    addElementwise();
    file.write();
    ways.start(text);
  }

  static const Functions &get() {
    static const Functions all;
    return all;
  }

private:
  void addNorms(int64_t size, Random &random) {
    const Weight &scale = scales[size] = plainWeight(1, size, random.values(size, 3));
    text += file.declare(write("scale{0}", size), scale, /*isVector=*/true);
    text += write("func.func @norm{0}(%x: {1}) -> {1} {{\n"
                  "  %g = lowbit.get @scale{0} : {2}\n"
                  "  %y = lowbit.rms_norm %x scale %g epsilon 1.0e-05 : {1}, {2}\n"
                  "  return %y : {1}\n}\n"
                  "func.func @bare{0}(%x: {1}) -> {1} {{\n"
                  "  %y = lowbit.rms_norm %x epsilon 1.0e-05 : {1}\n"
                  "  return %y : {1}\n}\n",
                  size, tensor(tokens, size), scale.type(true));
  }

  /// What follows a linear, and what comes before one, in the same kernel.
  void addLinears() {
    const std::string in = tensor(tokens, channels), out = tensor(tokens, rows);
    const std::string a = activation(tokens, channels, int4), w1 = first.type(), w2 = second.type();
    const std::string weights = write("  %w1 = lowbit.get @first : {0}\n  %w2 = lowbit.get @second : {1}\n", w1, w2);
    const std::string quantize = write("  %a = lowbit.quantize_activation %n : {0} -> {1}\n", in, a);
    const std::string norm = write("  %n = lowbit.rms_norm %x epsilon 1.0e-05 : {0}\n", in);
    const std::string linear = write("  %y = lowbit.linear %a, %w1 : ({0}, {1}) -> {2}\n", a, w1, out);
    text += write("func.func @norm_linear(%x: {0}) -> ({0}, {1}) {{\n", in, out) + weights + norm + quantize + linear +
            write("  return %n, %y : {0}, {1}\n}\n", in, out);
    text += write("func.func @norm_linear_only(%x: {0}) -> {1} {{\n", in, out) + weights + norm + quantize + linear +
            write("  return %y : {0}\n}\n", out);
    text += write("func.func @plain_linear(%n: {0}) -> {1} {{\n", in, out) + weights + quantize + linear +
            write("  return %y : {0}\n}\n", out);
    text += write("func.func @residual(%n: {0}, %r: {1}) -> {1} {{\n", in, out) + weights + quantize + linear +
            write("  %s = arith.addf %r, %y : {0}\n  return %s : {0}\n}\n", out);
    text += write("func.func @biased(%n: {0}, %r: {1}) -> {1} {{\n", in, out) + weights + quantize + linear +
            write("  %b = lowbit.get @bias : {1}\n"
                  "  %z = lowbit.add_bias %y, %b : {0}, {1}\n"
                  "  %s = arith.addf %r, %z : {0}\n  return %s : {0}\n}\n",
                  out, bias.type(true));
    text += write("func.func @shifted(%x: {0}) -> {0} {{\n"
                  "  %b = lowbit.get @shift : {1}\n"
                  "  %n = arith.negf %x : {0}\n"
                  "  %y = lowbit.add_bias %n, %b : {0}, {1}\n  return %y : {0}\n}\n",
                  in, shift.type(true));
    text += write("func.func @gate(%n: {0}) -> {1} {{\n", in, out) + weights + quantize + linear +
            write("  %up = lowbit.linear %a, %w2 : ({0}, {1}) -> {2}\n"
                  "  %ones = arith.constant dense<1.0> : {2}\n"
                  "  %neg = arith.negf %y : {2}\n"
                  "  %exp = math.exp %neg : {2}\n"
                  "  %sum = arith.addf %exp, %ones : {2}\n"
                  "  %sigmoid = arith.divf %ones, %sum : {2}\n"
                  "  %act = arith.mulf %y, %sigmoid : {2}\n"
                  "  %h = arith.mulf %act, %up : {2}\n  return %h : {2}\n}\n",
                  a, w2, out);
  }

  void addElementwise() {
    text += write("func.func @exp(%x: {0}) -> {0} {{\n  %y = math.exp %x : {0}\n  return %y : {0}\n}\n",
                  tensor(tokens, channels));
    text += write("func.func @arithmetic(%x: {0}, %y: {0}) -> {0} {{\n"
                  "  %half = arith.constant 0.5 : f32\n"
                  "  %halves = tensor.splat %half : {0}\n"
                  "  %three = arith.constant dense<3.0> : {0}\n"
                  "  %a = arith.mulf %x, %y : {0}\n"
                  "  %b = arith.subf %a, %halves : {0}\n"
                  "  %c = arith.divf %b, %three : {0}\n"
                  "  %d = math.sqrt %c : {0}\n"
                  "  %e = arith.addf %d, %x : {0}\n"
                  "  %f = arith.negf %e : {0}\n"
                  "  return %f : {0}\n}\n",
                  tensor(tokens, channels));
  }
};

class Rows : public testing::TestWithParam<Way> {
protected:
  void SetUp() override {
    SKIP_WHEN_MISSING(GetParam());
    module = Functions::get().ways.on(GetParam());
    ASSERT_TRUE(module);
    ++tally().cases;
  }

  /// The results of a function, one after the other; each has `tokens` rows of these widths.
  std::vector<std::vector<float>> call(const std::string &name, const std::vector<std::vector<float>> &inputs,
                                       const std::vector<int64_t> &widths) {
    std::vector<Memory> memory;
    std::vector<Argument> arguments;
    for (const std::vector<float> &input : inputs)
      arguments.emplace_back(memory.emplace_back(std::span<const float>(input)).data());
    for (int64_t width : widths)
      arguments.emplace_back(memory.emplace_back(tokens * width * sizeof(float)).data());
    module->call(name, arguments);
    std::vector<std::vector<float>> results;
    for (size_t i = inputs.size(); i < memory.size(); ++i) {
      const auto values = memory[i].as<float>();
      results.emplace_back(values.begin(), values.end());
    }
    return results;
  }

  static std::span<const float> row(const std::vector<float> &all, int64_t token, int64_t width) {
    return std::span(all).subspan(token * width, width);
  }

  Compiled *module = nullptr;
};

/// y = x / sqrt(mean + epsilon) * scale. The sum of n squares is off by at most (n + 1) u of itself in any order, fused
/// or not; the root halves that; the quotient by n, the sum with epsilon, root, reciprocal and two products add one u
/// each, the first two halved.
double normBound(int64_t n, double exact) {
  return std::fabs(exact) * roundoff * ((n + 1) / 2.0 + 1 + 4) * 1.01 + 0x1p-149;
}

double factorOf(std::span<const float> x) {
  double squares = 0;
  for (float v : x)
    squares += static_cast<double>(v) * v;
  return 1 / std::sqrt(squares / x.size() + epsilon);
}

TEST_P(Rows, NormalizeByTheRootMeanSquare) {
  Random random(3);
  for (int64_t size : sizes)
    for (const bool scaled : {false, true}) {
      const std::vector<float> x = random.values(tokens * size, 10);
      const std::vector<float> y = call(write(scaled ? "norm{0}" : "bare{0}", size), {x}, {size})[0];
      const std::vector<float> scale = Functions::get().scales.at(size).decoded(0);
      std::vector<float> expected;
      for (int64_t t = 0; t < tokens; ++t)
        for (int64_t c = 0; c < size; ++c)
          expected.push_back(x[t * size + c] * factorOf(row(x, t, size)) * (scaled ? scale[c] : 1.0f));
      // The expected value was rounded once, too.
      expectWithin(y, expected, size, [&](int64_t t, int64_t c) {
        return normBound(size, expected[t * size + c]) + roundoff * std::fabs(expected[t * size + c]);
      });
    }
}

TEST_P(Rows, NormalizeZerosToZeros) {
  expectSame(call("bare48", {std::vector<float>(tokens * 48, 0.0f)}, {48})[0], std::vector<float>(tokens * 48, 0.0f),
             48);
}

TEST_P(Rows, QuantizeWhatTheyNormalized) {
  Random random(4);
  const std::vector<float> x = random.values(tokens * channels, 4);
  const auto results = call("norm_linear", {x}, {channels, rows});
  std::vector<float> expected;
  std::vector<double> bounds;
  for (int64_t t = 0; t < tokens; ++t)
    for (int64_t r = 0; r < rows; ++r) {
      const Result result = integerResult(Functions::get().first, r, row(results[0], t, channels));
      expected.push_back(result.value);
      bounds.push_back(canFuse(GetParam()) ? result.bound : 0);
    }
  expectWithin(results[1], expected, rows, [&](int64_t t, int64_t r) { return bounds[t * rows + r]; });
  // Neither whether the norm is stored nor which kernel computes it changes a bit.
  expectSame(call("norm_linear_only", {x}, {rows})[0], results[1], rows);
  expectSame(call("plain_linear", {results[0]}, {rows})[0], results[1], rows);
}

TEST_P(Rows, AddTheResidualToALinear) {
  Random random(5);
  const std::vector<float> x = random.values(tokens * channels, 4), residual = random.values(tokens * rows, 2);
  const std::vector<float> y = call("plain_linear", {x}, {rows})[0];
  std::vector<float> expected(y.size());
  for (size_t i = 0; i < y.size(); ++i)
    expected[i] = residual[i] + y[i];
  expectSame(call("residual", {x, residual}, {rows})[0], expected, rows);
}

/// Behind a linear, 37 rows of which fill no tile, and on its own.
TEST_P(Rows, AddABiasToEveryToken) {
  Random random(9);
  const std::vector<float> x = random.values(tokens * channels, 4), residual = random.values(tokens * rows, 2);
  const std::vector<float> y = call("plain_linear", {x}, {rows})[0];
  const std::vector<float> bias = Functions::get().bias.decoded(0), shift = Functions::get().shift.decoded(0);
  std::vector<float> expected(y.size()), shifted(x.size());
  for (size_t i = 0; i < y.size(); ++i)
    expected[i] = residual[i] + (y[i] + bias[i % rows]);
  for (size_t i = 0; i < x.size(); ++i)
    shifted[i] = -x[i] + shift[i % channels];
  expectSame(call("biased", {x, residual}, {rows})[0], expected, rows);
  expectSame(call("shifted", {x}, {channels})[0], shifted, channels);
}

/// With s = silu(g) and computed g', u' off by dg, du (Result::bound): the slope of silu is below 1.1, so silu(g') is
/// off by at most 1.1 dg. exp is off by expError of itself, which is at most all of 1 + exp; the sum, the quotient and
/// the product round once each, and exp(-g') may overflow to give 0 for what is less than 1e-36: together (expError + 4
/// u) |s| + 1e-36. The last product adds one more u.
TEST_P(Rows, MultiplyTheActivatedGateByUp) {
  Random random(6);
  const std::vector<float> x = random.values(tokens * channels, 30);
  std::vector<float> expected;
  std::vector<double> bounds;
  for (int64_t t = 0; t < tokens; ++t)
    for (int64_t r = 0; r < rows; ++r) {
      const Result gate = integerResult(Functions::get().first, r, row(x, t, channels));
      const Result up = integerResult(Functions::get().second, r, row(x, t, channels));
      const double silu = gate.value / (1 + std::exp(-static_cast<double>(gate.value)));
      const double siluBound = 1.1 * gate.bound + (expError + 4 * roundoff) * std::fabs(silu) + 1e-36;
      expected.push_back(silu * up.value);
      bounds.push_back(1.01 * (siluBound * std::fabs(up.value) + std::fabs(silu) * up.bound +
                               2 * roundoff * std::fabs(silu * up.value)) +
                       0x1p-149);
    }
  expectWithin(call("gate", {x}, {rows})[0], expected, rows,
               [&](int64_t t, int64_t r) { return bounds[t * rows + r]; });
}

TEST_P(Rows, RaiseEToAnyPower) {
  std::vector<float> x(tokens * channels);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = -104 + 193 * static_cast<float>(i) / x.size(); // from below the smallest to above the largest result
  const float special[] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1e-30f, 88.0f, -87.0f, 1e30f, -1e30f};
  std::ranges::copy(special, x.begin());
  std::vector<float> expected(x.size());
  for (size_t i = 0; i < x.size(); ++i)
    expected[i] = static_cast<float>(std::exp(static_cast<double>(x[i])));
  const std::vector<float> y = call("exp", {x}, {channels})[0];
  // What is too small to be normal may be 0.
  expectWithin(y, expected, channels,
               [&](int64_t t, int64_t c) { return expError * expected[t * channels + c] + 0x1p-126; });
  EXPECT_EQ(y[3], 0) << "exp(-inf)";
  EXPECT_TRUE(std::isnan(y[4])) << "exp(nan)";
}

TEST_P(Rows, ComputeElementByElement) {
  Random random(7);
  const std::vector<float> x = random.values(tokens * channels, 5), y = random.values(tokens * channels, 5);
  std::vector<float> expected(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const float product = x[i] * y[i];
    expected[i] = -(std::sqrt((product - 0.5f) / 3.0f) + x[i]);
  }
  expectSame(call("arithmetic", {x, y}, {channels})[0], expected, channels);
}

TEST_P(Rows, KeepANanInItsToken) {
  Random random(8);
  std::vector<float> x = random.values(tokens * channels, 4);
  const std::vector<float> before = call("plain_linear", {x}, {rows})[0];
  for (const float poison : {NAN, INFINITY, -INFINITY})
    for (const int64_t column : {0, 31, 32, 99}) {
      std::vector<float> poisoned = x;
      poisoned[1 * channels + column] = poison;
      for (const char *function : {"plain_linear", "norm_linear_only", "gate"}) {
        const std::vector<float> clean = call(function, {x}, {rows})[0], y = call(function, {poisoned}, {rows})[0];
        for (int64_t r = 0; r < rows; ++r) {
          EXPECT_TRUE(isSame(y[r], clean[r])) << function << ", token 0";
          EXPECT_TRUE(isSame(y[2 * rows + r], clean[2 * rows + r])) << function << ", token 2";
        }
        // A NaN reaches every output; an infinity is not finite any more, and is NaN where a code of 0 meets it.
        for (int64_t r = 0; r < rows && std::isnan(poison); ++r)
          EXPECT_TRUE(std::isnan(y[rows + r])) << function << ", row " << r;
      }
      const std::vector<float> y = call("plain_linear", {poisoned}, {rows})[0];
      for (int64_t r = 0; r < rows; ++r)
        EXPECT_FALSE(std::isfinite(y[rows + r])) << "row " << r;
    }
}

INSTANTIATE_TEST_SUITE_P(All, Rows, testing::ValuesIn(allWays()),
                         [](const auto &info) { return info.param.identifier(); });

} // namespace
} // namespace halftone::test
