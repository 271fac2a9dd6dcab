// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Dots that every processor can run: plain vector arithmetic, which LLVM turns into what the processor has.
#include "passes/targets/Families.h"

using namespace mlir;
using namespace halftone;
using targets::DotStep;

Value targets::spreadGroup(OpBuilder &builder, Location loc, Value group, int64_t lanes) {
  auto type = cast<VectorType>(group.getType());
  Value word = vector::BitCastOp::create(builder, loc, VectorType::get({1}, builder.getI32Type()), group);
  Value scalar = vector::ExtractOp::create(builder, loc, word, 0);
  Value words = vector::BroadcastOp::create(builder, loc, VectorType::get({lanes}, builder.getI32Type()), scalar);
  return vector::BitCastOp::create(builder, loc,
                                   VectorType::get({lanes * type.getNumElements()}, type.getElementType()), words);
}

static Value splat(OpBuilder &builder, Location loc, VectorType type, int64_t value) {
  return arith::ConstantOp::create(builder, loc,
                                   DenseElementsAttr::get(type, builder.getIntegerAttr(type.getElementType(), value)));
}

/// accumulator + w * x.
static Value multiplyAdd(OpBuilder &builder, Location loc, Value accumulator, Value w, Value x) {
  Value product = arith::MulFOp::create(builder, loc, w, x, arith::FastMathFlags::contract);
  return arith::AddFOp::create(builder, loc, product, accumulator, arith::FastMathFlags::contract);
}

/// One column a lane. Narrower elements are widened first.
static Value multiplyAdd(OpBuilder &builder, Location loc, const DotStep &step) {
  Value accumulator = step.accumulator;
  Type type = accumulator.getType();
  for (auto [w, x] : llvm::zip(step.levels, step.activations)) {
    Value wide = w.getType() == type ? w : arith::ExtFOp::create(builder, loc, type, w).getResult();
    Value scalar = vector::ExtractOp::create(builder, loc, x, 0);
    accumulator = multiplyAdd(builder, loc, accumulator, wide, vector::BroadcastOp::create(builder, loc, type, scalar));
  }
  return accumulator;
}

/// The two bf16 in each 32 bits as f32: a bf16 is the upper half of an f32.
static std::pair<Value, Value> widenPairs(OpBuilder &builder, Location loc, VectorType type, Value pairs) {
  VectorType integers = VectorType::get(type.getShape(), builder.getI32Type());
  Value words = vector::BitCastOp::create(builder, loc, integers, pairs);
  Value first = arith::ShLIOp::create(builder, loc, words, splat(builder, loc, integers, 16));
  Value second = arith::AndIOp::create(builder, loc, words, splat(builder, loc, integers, int32_t(0xffff0000)));
  return {vector::BitCastOp::create(builder, loc, type, first), vector::BitCastOp::create(builder, loc, type, second)};
}

/// Two columns of bf16 a lane. LLVM would call the C library to convert where the processor has no bf16.
static Value multiplyPairs(OpBuilder &builder, Location loc, const DotStep &step) {
  Value accumulator = step.accumulator;
  auto type = cast<VectorType>(accumulator.getType());
  for (auto [levels, activations] : llvm::zip(step.levels, step.activations)) {
    const auto [firstW, secondW] = widenPairs(builder, loc, type, levels);
    Value spread = targets::spreadGroup(builder, loc, activations, type.getNumElements());
    const auto [firstX, secondX] = widenPairs(builder, loc, type, spread);
    accumulator = multiplyAdd(builder, loc, accumulator, firstW, firstX);
    accumulator = multiplyAdd(builder, loc, accumulator, secondW, secondX);
  }
  return accumulator;
}

/// Byte by byte in 32-bit lanes: unsigned level times signed activation.
static Value multiplyBytes(OpBuilder &builder, Location loc, const DotStep &step) {
  Value accumulator = step.accumulator;
  auto type = cast<VectorType>(accumulator.getType());
  Value mask = splat(builder, loc, type, 255);
  for (auto [levels, activations] : llvm::zip(step.levels, step.activations)) {
    Value words = vector::BitCastOp::create(builder, loc, type, levels);
    for (int64_t g = 0; g < 4; ++g) {
      Value by = splat(builder, loc, type, 8 * g);
      Value level = arith::AndIOp::create(builder, loc, arith::ShRUIOp::create(builder, loc, words, by), mask);
      Value x = arith::ExtSIOp::create(builder, loc, builder.getI32Type(),
                                       vector::ExtractOp::create(builder, loc, activations, g));
      Value product = arith::MulIOp::create(builder, loc, level, vector::BroadcastOp::create(builder, loc, type, x));
      accumulator = arith::AddIOp::create(builder, loc, accumulator, product);
    }
  }
  return accumulator;
}

using formats::Scalar;

static constexpr targets::DotInstruction dots[] = {
    // name, features, vector, plain, highest, less, group, vectors, step
    {"multiply-add", "", 0, Scalar::F32, 0, 0, 1, 1, multiplyAdd},
    {"multiply-add-f16", "", 0, Scalar::F16, 0, 0, 1, 1, multiplyAdd},
    {"multiply-pairs", "", 0, Scalar::BF16, 0, 0, 2, 1, multiplyPairs},
    {"multiply-bytes", "", 0, std::nullopt, 255, 0, 4, 1, multiplyBytes},
};

static constexpr targets::VectorWidth widths[] = {{"", 128, 16}};

const targets::Architecture targets::portable = {.widths = widths, .dots = dots};
