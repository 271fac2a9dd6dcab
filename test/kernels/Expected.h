// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What lowbit.linear says, in plain C++, and how far fused arithmetic may be from it.
#pragma once

#include "test/kernels/Compare.h"
#include "test/kernels/Weights.h"

namespace halftone::test {

/// A result and how far one with fused multiply-adds may be from it. Let p_b be the exact products of a block and T_b
/// the sum of |p_1| .. |p_b|. Unfused: r_b = fl(r_{b-1} + fl(p_b)), fused: k_b = fl(k_{b-1} + p_b). Each fl is off by
/// at most u of its value, and |r_b|, |k_b| <= T_b up to second order, so |r_b - k_b| <= |r_{b-1} - k_{b-1}| + u |p_b|
/// + 2 u T_b. A product that underflows is off by half of the smallest denormal instead.
struct Result {
  float value = 0;
  double bound = 0;

  void add(float product, double exactProduct) {
    value += product;
    total += std::fabs(exactProduct);
    bound += 1.01 * roundoff * (std::fabs(exactProduct) + 2 * total) + 0x1p-149;
  }

private:
  double total = 0;
};

/// One output of lowbit.linear with int8 activations of `x`, which has the blocks of the weight.
Result integerResult(const Weight &weight, int64_t row, std::span<const float> x);

/// One output of lowbit.linear with activations rounded to bf16. Products are exact in f32; sums may be taken in any
/// order of the two of a pair, so both orders are within n u T of the exact sum (n columns, T as above), and an
/// instruction may take denormals, of which no two differ by more than 2^-126, for 0.
Result pairResult(const Weight &weight, int64_t row, std::span<const float> x);

/// Whether activations are rounded for weights of `format`: to bf16.
bool roundsActivations(const formats::Format &format);

/// One output of lowbit.linear with f32 activations.
Result floatResult(const Weight &weight, int64_t row, std::span<const float> x);

} // namespace halftone::test
