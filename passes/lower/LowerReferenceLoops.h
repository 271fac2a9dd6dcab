// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Scalar loops and arithmetic as one would write them in C: what the reference lowering is made of.
#pragma once

#include "dialects/kernel/Kernel.h"

#include <functional>

namespace halftone {

/// Emits loops over single elements. No floating point operation may be fused or reordered.
class ScalarLoops {
public:
  using Value = mlir::Value;

  ScalarLoops(mlir::OpBuilder &builder, mlir::Location loc) : builder(builder), loc(loc) {}

  Value index(int64_t value);
  Value number(float value);
  Value integer(int32_t value);

  /// Arithmetic on two values of one type: index, integer or float.
  Value add(Value a, Value b);
  Value subtract(Value a, Value b);
  Value multiply(Value a, Value b);
  /// Quotient of two floats, or of two indices rounded down.
  Value divide(Value a, Value b);
  Value remainder(Value a, Value b);
  Value smaller(Value a, Value b);
  /// condition ? a : b.
  Value select(Value condition, Value a, Value b);
  Value compare(mlir::arith::CmpFPredicate predicate, Value a, Value b);

  /// An integer as f32.
  Value toFloat(Value value);
  /// An i8 that holds an unsigned or a signed number, as i32.
  Value unsignedByte(Value value);
  Value signedByte(Value value);

  /// roundeven(x / scale) within -limit .. limit, 0 when the scale is: lib/formats/Rounding.h, roundWithin. An i32.
  Value balancedCode(Value x, Value scale, float limit);

  Value load(Value memory, mlir::ValueRange indices);
  void store(Value value, Value memory, mlir::ValueRange indices);

  /// for (i = 0; i < count; ++i) body(i)
  void each(Value count, llvm::function_ref<void(Value i)> body);
  /// for (i = 0; i < count; ++i) total = body(i, total)
  Value fold(Value count, Value total, llvm::function_ref<Value(Value i, Value total)> body);
  /// The same as `each`, iterations shared among the threads.
  void parallel(Value count, llvm::function_ref<void(Value i)> body);
  /// How many rows of a tensor, a token each, a call computes.
  Value tokensOf(Value tensor);

  mlir::OpBuilder &builder;
  mlir::Location loc;
};

/// Reads a weight that pack-weights unpacked (lib/formats/Unpacked.h), or a plain one that lies row by row.
class UnpackedWeight {
public:
  using Value = mlir::Value;

  UnpackedWeight(Value handle, ScalarLoops &loops);

  formats::Format format() const { return type.getFormat().getValue(); }
  int64_t columns() const { return type.getShape().back(); }
  int64_t blocks() const { return format().blockCount(columns()); }
  bool hasCodes() const { return !format().isPlain(); }
  /// Columns of every block but the last.
  int64_t blockLength() const { return format().blockLength(columns(), 0); }

  /// code - zero point, an i32.
  Value distance(Value row, Value column);
  /// What a level is worth in a block.
  Value step(Value row, Value block);
  /// The weight as f32: one rounding.
  Value element(Value row, Value column);

private:
  Value at(Value row, Value column, int64_t width, int64_t offset);

  lowbit::WeightType type;
  ScalarLoops &loops;
  Value bytes, floats;
  int64_t stepsOffset = 0, zerosOffset = 0;
};

/// Lowers a kernel's operation on heads (rope, append, attention). `buffers` gives the memory of a value.
using BufferOf = llvm::function_ref<mlir::Value(mlir::Value)>;
void lowerReference(lowbit::RopeOp rope, ScalarLoops &loops, BufferOf buffers);
void lowerReference(lowbit::AppendOp append, ScalarLoops &loops, BufferOf buffers);
void lowerReference(lowbit::AttentionOp attention, ScalarLoops &loops, BufferOf buffers);

} // namespace halftone
