// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Dots that every processor can run: plain vector arithmetic, which LLVM turns into what the processor has.
#include "passes/codegen/targets/Instructions.h"

using namespace mlir;
using namespace halftone;

Value targets::spreadGroup(OpBuilder &builder, Location loc, Value group, int64_t lanes) {
  Value word = vector::BitCastOp::create(builder, loc, VectorType::get({1}, builder.getI32Type()), group);
  Value scalar = vector::ExtractOp::create(builder, loc, word, 0);
  Value words = vector::BroadcastOp::create(builder, loc, VectorType::get({lanes}, builder.getI32Type()), scalar);
  return vector::BitCastOp::create(builder, loc, VectorType::get({lanes * 4}, builder.getI8Type()), words);
}

/// accumulator + codes * activation; one activation per lane group of one. Narrower elements are widened first.
static Value multiplyAdd(OpBuilder &builder, Location loc, Value accumulator, Value codes, Value activations) {
  Type type = accumulator.getType();
  if (codes.getType() != type)
    codes = arith::ExtFOp::create(builder, loc, type, codes);
  Value x = vector::BroadcastOp::create(builder, loc, type, vector::ExtractOp::create(builder, loc, activations, 0));
  Value product = arith::MulFOp::create(builder, loc, codes, x, arith::FastMathFlags::contract);
  return arith::AddFOp::create(builder, loc, product, accumulator, arith::FastMathFlags::contract);
}

/// Byte by byte in 32-bit lanes: unsigned code times signed activation.
static Value multiplyBytes(OpBuilder &builder, Location loc, Value accumulator, Value codes, Value activations) {
  auto type = cast<VectorType>(accumulator.getType());
  Value words = vector::BitCastOp::create(builder, loc, type, codes);
  Value mask = arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, builder.getI32IntegerAttr(255)));
  for (int64_t g = 0; g < 4; ++g) {
    Value by = arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, builder.getI32IntegerAttr(8 * g)));
    Value code = arith::AndIOp::create(builder, loc, arith::ShRUIOp::create(builder, loc, words, by), mask);
    Value x = arith::ExtSIOp::create(builder, loc, builder.getI32Type(),
                                     vector::ExtractOp::create(builder, loc, activations, g));
    Value product = arith::MulIOp::create(builder, loc, code, vector::BroadcastOp::create(builder, loc, type, x));
    accumulator = arith::AddIOp::create(builder, loc, accumulator, product);
  }
  return accumulator;
}

const targets::DotInstruction targets::portableDots[] = {
    {.name = "multiply-add", .features = "", .vector = 0, .plain = true, .bits = 32, .group = 1, .step = multiplyAdd},
    {.name = "multiply-bytes", .features = "", .vector = 0, .plain = false, .bits = 8, .group = 4, .step = multiplyBytes},
};
const size_t targets::portableDotCount = std::size(targets::portableDots);
