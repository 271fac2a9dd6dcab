// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The instructions of 64-bit ARM processors [Arm ARM, chapter C7], by LLVM's intrinsics.
#include "passes/targets/Families.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace halftone;
using targets::DotStep;

namespace {

/// Emits arithmetic on registers of 128 bits.
struct Emitter {
  OpBuilder &builder;
  Location loc;

  VectorType vector(int64_t elements, unsigned bits) const {
    return VectorType::get({elements}, builder.getIntegerType(bits));
  }
  Value call(StringRef intrinsic, Type result, ValueRange operands) {
    return LLVM::CallIntrinsicOp::create(builder, loc, result, builder.getStringAttr(intrinsic), operands).getResult(0);
  }
  /// One group of activations in each of the four lanes. LLVM takes it from the vector it lies in: `sdot v.4b[i]`.
  Value spread(Value group) { return targets::spreadGroup(builder, loc, group, 4); }
};

/// An instruction that adds the products of groups to four lanes.
Value groups(StringRef intrinsic, OpBuilder &builder, Location loc, const DotStep &step) {
  Emitter emit{builder, loc};
  Value sum = step.accumulator;
  for (auto [levels, x] : llvm::zip(step.levels, step.activations))
    sum = emit.call(intrinsic, sum.getType(), {sum, levels, emit.spread(x)});
  return sum;
}

/// Four products of signed bytes in each 32-bit lane.
Value sdot(OpBuilder &builder, Location loc, const DotStep &step) {
  return groups("llvm.aarch64.neon.sdot.v4i32.v16i8", builder, loc, step);
}

/// Two products of bf16 in each 32-bit lane, added in f32. Denormals count as 0.
Value bfdot(OpBuilder &builder, Location loc, const DotStep &step) {
  return groups("llvm.aarch64.neon.bfdot.v4f32.v8bf16", builder, loc, step);
}

/// Products of signed bytes in 16-bit lanes, which hold the sum of two.
Value smull(OpBuilder &builder, Location loc, const DotStep &step) {
  Emitter emit{builder, loc};
  VectorType words = emit.vector(8, 16), sums = emit.vector(4, 32);
  Value sum = step.accumulator;
  for (auto [levels, x] : llvm::zip(step.levels, step.activations)) {
    Value spread = emit.spread(x);
    Value products[2];
    for (auto [half, product] : llvm::enumerate(products)) {
      const auto number = static_cast<int64_t>(half);
      product = emit.call(
          "llvm.aarch64.neon.smull.v8i16", words,
          {targets::pieceOf(builder, loc, levels, number, 2), targets::pieceOf(builder, loc, spread, number, 2)});
    }
    Value pairs = emit.call("llvm.aarch64.neon.addp.v8i16", words, products);
    Value four = emit.call("llvm.aarch64.neon.saddlp.v4i32.v8i16", sums, pairs);
    sum = arith::AddIOp::create(builder, loc, sum, four);
  }
  return sum;
}

constexpr auto codes = std::nullopt;
constexpr auto bf16 = formats::Scalar::BF16;

/// Levels up to 127 are signed bytes as they are.
constexpr int64_t asTheyAre = 127;

constexpr targets::DotInstruction dots[] = {
    // name, features, vector, plain, highest, less, group, vectors, step
    {"sdot", "dotprod", 128, codes, asTheyAre, 0, 4, 1, sdot},
    {"sdot.less", "dotprod", 128, codes, 255, 128, 4, 1, sdot},
    {"smull", "neon", 128, codes, asTheyAre, 0, 4, 1, smull},
    {"smull.less", "neon", 128, codes, 255, 128, 4, 1, smull},
    {"bfdot", "bf16", 128, bf16, 0, 0, 2, 1, bfdot},
};

constexpr targets::LookupInstruction lookups[] = {
    {"llvm.aarch64.neon.tbl1.v16i8", "neon", 128},
};

/// Kernels are written in four registers at once, so that sixteen rows share what they read of the activations.
constexpr targets::VectorWidth widths[] = {{"", 512, 8}};

/// Versions of the architecture.
constexpr targets::Level levels[] = {
    {"armv8-a", "v8a"},     {"armv8.1-a", "v8.1a"}, {"armv8.2-a", "v8.2a"}, {"armv8.3-a", "v8.3a"},
    {"armv8.4-a", "v8.4a"}, {"armv8.5-a", "v8.5a"}, {"armv8.6-a", "v8.6a"}, {"armv8.7-a", "v8.7a"},
    {"armv8.8-a", "v8.8a"}, {"armv8.9-a", "v8.9a"}, {"armv9-a", "v9a"},     {"armv9.1-a", "v9.1a"},
    {"armv9.2-a", "v9.2a"}, {"armv9.3-a", "v9.3a"}, {"armv9.4-a", "v9.4a"}, {"armv9.5-a", "v9.5a"},
};

} // namespace

const targets::Architecture targets::arm = {.triple = "aarch64-unknown-linux-gnu",
                                            .cpu = "generic",
                                            .widths = widths,
                                            .levels = levels,
                                            .fuses = "neon",
                                            .activationBytes = 16,
                                            .dots = dots,
                                            .lookups = lookups};
