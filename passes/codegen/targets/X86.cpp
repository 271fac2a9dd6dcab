// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The dot instructions of x86 processors.
#include "passes/codegen/targets/Instructions.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace halftone;

/// vpdpbusd: each 32-bit lane adds four products of unsigned by signed bytes; nothing saturates.
static Value vpdpbusd(OpBuilder &builder, Location loc, Value accumulator, Value codes, Value activations) {
  auto type = cast<VectorType>(accumulator.getType());
  auto spread = targets::spreadGroup(builder, loc, activations, type.getNumElements());
  std::string name = "llvm.x86.avx512.vpdpbusd." + std::to_string(type.getNumElements() * 32);
  return LLVM::CallIntrinsicOp::create(builder, loc, type, builder.getStringAttr(name),
                                       ValueRange{accumulator, codes, spread})
      .getResult(0);
}

const targets::DotInstruction targets::x86Dots[] = {
    {.name = "vpdpbusd.512", .features = "avx512vnni", .vector = 512, .plain = false, .bits = 8, .group = 4, .step = vpdpbusd},
    {.name = "vpdpbusd.256", .features = "avx512vnni,avx512vl", .vector = 256, .plain = false, .bits = 8, .group = 4, .step = vpdpbusd},
};
const size_t targets::x86DotCount = std::size(targets::x86Dots);
