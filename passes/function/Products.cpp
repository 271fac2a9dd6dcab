// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Matrix products.
#include "passes/function/Conversion.h"

#include "passes/import/Tensor.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::function;

/// [ONNX, "MatMul"], which is numpy's: a vector on the left is a row, on the right a column, and its 1 is taken away.
static FailureOr<Value> multiply(Conversion &c, Value a, Value b) {
  const int64_t rankA = rankOf(a), rankB = rankOf(b);
  if (rankA == 0 || rankB == 0)
    return c.fail("a scalar is no matrix");
  if (rankA == 1)
    a = c.b.reshape(a, {1, shapeOf(a)[0]});
  if (rankB == 1)
    b = c.b.reshape(b, {shapeOf(b)[0], 1});
  SmallVector<int64_t> batch;
  if (shapeOf(a).back() != shapeOf(b)[rankOf(b) - 2])
    return c.fail("inner dimensions differ: " + Twine(shapeOf(a).back()) + " and " + Twine(shapeOf(b)[rankOf(b) - 2]));
  if (!importer::broadcast(shapeOf(a).drop_back(2), shapeOf(b).drop_back(2), batch))
    return c.fail("batches do not broadcast, " + spell(shapeOf(a).drop_back(2)) + " and " +
                  spell(shapeOf(b).drop_back(2)));
  Value result = c.b.product(a, b);
  SmallVector<int64_t> shape(shapeOf(result));
  if (rankB == 1)
    shape.pop_back();
  if (rankA == 1)
    shape.erase(shape.end() - (rankB == 1 ? 1 : 2));
  return c.b.reshape(result, shape);
}

static Results matMul(Conversion &c) {
  if (elementOf(c.input(0)) != elementOf(c.input(1)))
    return c.fail("inputs have different types");
  FailureOr<Value> result = multiply(c, c.input(0), c.input(1));
  if (failed(result))
    return failure();
  return SmallVector<Value, 2>{*result};
}

/// alpha * A' * B' + beta * C.
static Results gemm(Conversion &c) {
  Value a = c.input(0), b = c.input(1);
  if (rankOf(a) != 2 || rankOf(b) != 2)
    return c.fail("inputs of " + Twine(rankOf(a)) + " and " + Twine(rankOf(b)) + " dimensions are no matrices");
  if (c.parameter("transA", int64_t(0)))
    a = c.b.transpose(a, {1, 0});
  const bool turned = c.parameter("transB", int64_t(0));
  if (shapeOf(a)[1] != shapeOf(b)[turned ? 1 : 0])
    return c.fail("inner dimensions differ: " + Twine(shapeOf(a)[1]) + " and " + Twine(shapeOf(b)[turned ? 1 : 0]));
  Value result = c.b.product(a, b, turned);
  const float alpha = c.parameter("alpha", 1.0f), beta = c.parameter("beta", 1.0f);
  if (alpha != 1)
    result = c.b.scale(result, alpha);
  if (!c.has(2))
    return SmallVector<Value, 2>{result};
  SmallVector<int64_t> shape;
  if (!importer::broadcast(shapeOf(result), shapeOf(c.input(2)), shape) || ArrayRef(shape) != shapeOf(result))
    return c.fail("the addend does not broadcast to the product");
  return SmallVector<Value, 2>{c.b.add(result, beta == 1 ? c.input(2) : c.b.scale(c.input(2), beta))};
}

/// A product of integers less their zero points, in int32.
static Results matMulInteger(Conversion &c) {
  const Type type = c.b.builder.getI32Type();
  Value sides[2];
  for (size_t i = 0; i < 2; ++i) {
    sides[i] = c.b.cast(c.input(i), type, c.isUnsigned(i));
    if (!c.has(i + 2))
      continue;
    Value zero = c.b.cast(c.input(i + 2), type, c.isUnsigned(i + 2));
    if (i == 0 && rankOf(zero) == 1) // one per row
      zero = shapeOf(zero)[0] == 1 ? c.b.reshape(zero, {}) : c.b.reshape(zero, {shapeOf(zero)[0], 1});
    sides[i] = c.b.subtract(sides[i], zero);
  }
  FailureOr<Value> result = multiply(c, sides[0], sides[1]);
  if (failed(result))
    return failure();
  return SmallVector<Value, 2>{*result};
}

ArrayRef<Operator> halftone::function::productOperators() {
  static constexpr Operator table[] = {
      {"", "Gemm", 7, 2, gemm},
      {"", "MatMul", 1, 2, matMul},
      {"", "MatMulInteger", 10, 2, matMulInteger},
  };
  return table;
}
