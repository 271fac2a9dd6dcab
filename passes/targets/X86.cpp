// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The instructions of x86 processors [Intel SDM, volume 2], by LLVM's intrinsics.
#include "passes/targets/Families.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace halftone;
using targets::DotStep;

namespace {

/// An instruction's intrinsic in each width of vectors.
struct Intrinsic {
  StringLiteral of128, of256, of512;
};
constexpr Intrinsic vpdpbusdOf = {"llvm.x86.avx512.vpdpbusd.128", "llvm.x86.avx512.vpdpbusd.256",
                                  "llvm.x86.avx512.vpdpbusd.512"};
constexpr Intrinsic vdpbf16psOf = {"llvm.x86.avx512bf16.dpbf16ps.128", "llvm.x86.avx512bf16.dpbf16ps.256",
                                   "llvm.x86.avx512bf16.dpbf16ps.512"};
constexpr Intrinsic pmaddubswOf = {"llvm.x86.ssse3.pmadd.ub.sw.128", "llvm.x86.avx2.pmadd.ub.sw",
                                   "llvm.x86.avx512.pmaddubs.w.512"};
constexpr Intrinsic pmaddwdOf = {"llvm.x86.sse2.pmadd.wd", "llvm.x86.avx2.pmadd.wd", "llvm.x86.avx512.pmaddw.d.512"};

/// Emits vector arithmetic beside an accumulator of 32-bit lanes.
struct Emitter {
  OpBuilder &builder;
  Location loc;
  VectorType accumulator;

  int64_t lanes() const { return accumulator.getNumElements(); }
  VectorType words() const { return VectorType::get({2 * lanes()}, builder.getI16Type()); }

  Value call(const Intrinsic &intrinsic, VectorType result, ValueRange operands) {
    const int64_t bits = 32 * lanes();
    StringRef name = bits == 128 ? intrinsic.of128 : bits == 256 ? intrinsic.of256 : intrinsic.of512;
    return LLVM::CallIntrinsicOp::create(builder, loc, result, builder.getStringAttr(name), operands).getResult(0);
  }
  Value spread(Value group) { return targets::spreadGroup(builder, loc, group, lanes()); }
  Value constant(int64_t value) {
    return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(words(), builder.getI16IntegerAttr(value)));
  }
  Value toWords(Value bytes) { return vector::BitCastOp::create(builder, loc, words(), bytes); }
  Value add(Value a, Value b) { return a ? arith::AddIOp::create(builder, loc, a, b).getResult() : b; }
};

Emitter emitterFor(OpBuilder &builder, Location loc, const DotStep &step) {
  return {builder, loc, cast<VectorType>(step.accumulator.getType())};
}

/// Four products of unsigned by signed bytes in each 32-bit lane; nothing saturates.
Value vpdpbusd(OpBuilder &builder, Location loc, const DotStep &step) {
  Emitter emit = emitterFor(builder, loc, step);
  Value sum = step.accumulator;
  for (auto [levels, x] : llvm::zip(step.levels, step.activations))
    sum = emit.call(vpdpbusdOf, emit.accumulator, {sum, levels, emit.spread(x)});
  return sum;
}

/// Two products of bf16 in each 32-bit lane, added in f32. Denormals count as 0.
Value vdpbf16ps(OpBuilder &builder, Location loc, const DotStep &step) {
  Emitter emit = emitterFor(builder, loc, step);
  Value sum = step.accumulator;
  for (auto [w, x] : llvm::zip(step.levels, step.activations))
    sum = emit.call(vdpbf16psOf, emit.accumulator, {sum, w, emit.spread(x)});
  return sum;
}

/// Two products of unsigned by signed bytes in each 16-bit lane, saturating: as many vectors are added up there as
/// surely fit, before the 16-bit lanes are added in pairs.
Value pmaddubsw(OpBuilder &builder, Location loc, const DotStep &step) {
  constexpr int64_t largest = std::numeric_limits<int16_t>::max(), activation = 127;
  const int64_t run = largest / (2 * activation * step.highest);
  Emitter emit = emitterFor(builder, loc, step);
  Value sum = step.accumulator, ones = emit.constant(1), words;
  for (auto [i, levels, x] : llvm::enumerate(step.levels, step.activations)) {
    words = emit.add(words, emit.call(pmaddubswOf, emit.words(), {levels, emit.spread(x)}));
    const int64_t done = static_cast<int64_t>(i) + 1;
    if (done % run != 0 && done != static_cast<int64_t>(step.levels.size()))
      continue;
    sum = emit.add(sum, emit.call(pmaddwdOf, emit.accumulator, {words, ones}));
    words = {};
  }
  return sum;
}

/// Even and odd bytes as 16-bit lanes, whose products are added in pairs: for any level.
Value pmaddwd(OpBuilder &builder, Location loc, const DotStep &step) {
  Emitter emit = emitterFor(builder, loc, step);
  Value sum = step.accumulator, eight = emit.constant(8), low = emit.constant(255);
  for (auto [levels, x] : llvm::zip(step.levels, step.activations)) {
    Value level = emit.toWords(levels), activation = emit.toWords(emit.spread(x));
    Value evenLevel = arith::AndIOp::create(builder, loc, level, low);
    Value oddLevel = arith::ShRUIOp::create(builder, loc, level, eight);
    Value even = arith::ShRSIOp::create(builder, loc, arith::ShLIOp::create(builder, loc, activation, eight), eight);
    Value odd = arith::ShRSIOp::create(builder, loc, activation, eight);
    sum = emit.add(sum, emit.call(pmaddwdOf, emit.accumulator, {evenLevel, even}));
    sum = emit.add(sum, emit.call(pmaddwdOf, emit.accumulator, {oddLevel, odd}));
  }
  return sum;
}

/// Two products of the largest level and activation fit into 16 bits.
constexpr int64_t pmaddubswHighest = std::numeric_limits<int16_t>::max() / (2 * 127);

constexpr auto codes = std::nullopt;
constexpr auto bf16 = formats::Scalar::BF16;

constexpr targets::DotInstruction dots[] = {
    // name, features, vector, plain, highest, less, group, vectors, step
    {"vpdpbusd.512", "avx512vnni", 512, codes, 255, 0, 4, 1, vpdpbusd},
    {"vpdpbusd.256", "avx512vnni,avx512vl", 256, codes, 255, 0, 4, 1, vpdpbusd},
    {"vpdpbusd.vex.256", "avxvnni", 256, codes, 255, 0, 4, 1, vpdpbusd},
    {"pmaddubsw.512", "avx512bw", 512, codes, pmaddubswHighest, 0, 4, 4, pmaddubsw},
    {"pmaddwd.512", "avx512bw", 512, codes, 255, 0, 4, 1, pmaddwd},
    {"pmaddubsw.256", "avx2", 256, codes, pmaddubswHighest, 0, 4, 4, pmaddubsw},
    {"pmaddwd.256", "avx2", 256, codes, 255, 0, 4, 1, pmaddwd},
    {"pmaddubsw.128", "ssse3", 128, codes, pmaddubswHighest, 0, 4, 4, pmaddubsw},
    {"pmaddwd.128", "sse2", 128, codes, 255, 0, 4, 1, pmaddwd},
    {"vdpbf16ps.512", "avx512bf16", 512, bf16, 0, 0, 2, 1, vdpbf16ps},
    {"vdpbf16ps.256", "avx512bf16,avx512vl", 256, bf16, 0, 0, 2, 1, vdpbf16ps},
};

constexpr targets::LookupInstruction lookups[] = {
    {"llvm.x86.avx512.pshuf.b.512", "avx512bw", 512},
    {"llvm.x86.avx2.pshuf.b", "avx2", 256},
    {"llvm.x86.ssse3.pshuf.b.128", "ssse3", 128},
};

constexpr targets::VectorWidth widths[] = {
    {"avx512f,avx512bw,avx512vl,avx512dq", 512, 32},
    {"avx2", 256, 16},
    {"", 128, 16},
};

} // namespace

/// Two pages ahead, so that the next page's address is known, too, before it is needed: 1.1B parameters decode 21 %
/// faster so than with one page (two threads).
static constexpr int64_t twoPages = 8192;

const targets::Architecture targets::x86 = {.triple = "x86_64-unknown-linux-gnu",
                                            .cpu = "x86-64",
                                            .widths = widths,
                                            .fuses = "fma",
                                            .prefetch = twoPages,
                                            .dots = dots,
                                            .lookups = lookups};
