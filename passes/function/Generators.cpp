// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators whose elements come from no tensor. Most are evaluated where they are imported; what is left are types that
// the evaluator has no room for.
#include "passes/function/Conversion.h"

#include "mlir/IR/Matchers.h"

#include <cmath>

using namespace mlir;
using namespace halftone::function;

static constexpr char knownTooLate[] = "its result depends on values that are known only when the graph runs";

/// start, start + step, ... up to a limit that is not reached.
static Results range(Conversion &c) {
  auto start = c.number(0), limit = c.number(1), step = c.number(2);
  const Type type = elementOf(c.input(0));
  if (!start || !limit || !step || !isa<FloatType>(type))
    return c.fail(knownTooLate);
  const double count = std::ceil((*limit - *start) / *step);
  if (!(count < std::ldexp(1.0, 62)))
    return c.fail("from " + std::to_string(*start) + " to " + std::to_string(*limit) + " in steps of " +
                  std::to_string(*step) + " is no range");
  const auto size = static_cast<int64_t>(std::fmax(count, 0));
  return SmallVector<Value, 2>{c.b.generate(type, size, [&](TensorBuilder &b, ValueRange at) -> Value {
    const Type wide = widened(type);
    Value place = b.convert(b.convert(at[0], b.builder.getI64Type()), wide);
    return b.make<arith::AddFOp>(b.number(wide, *start), b.make<arith::MulFOp>(place, b.number(wide, *step)));
  })};
}

static Results constantOfShape(Conversion &c) {
  auto shape = c.integers(0, "");
  auto value = c.node.getParameters().getAs<DenseElementsAttr>("value");
  if (!shape || llvm::any_of(*shape, [](int64_t size) { return size < 0; }))
    return c.fail(knownTooLate);
  if (value && value.getNumElements() != 1)
    return c.fail("its value has " + Twine(value.getNumElements()) + " elements");
  if (!value)
    return SmallVector<Value, 2>{c.b.filled(c.b.builder.getF32Type(), *shape, 0)};
  c.given = value.getElementType();
  Value one = c.b.make<arith::ConstantOp>(value.bitcast(heldAs(c.given)));
  return SmallVector<Value, 2>{c.b.expand(c.b.reshape(one, {}), *shape)};
}

ArrayRef<Operator> halftone::function::generatorOperators() {
  static constexpr Operator table[] = {
      {"", "ConstantOfShape", 9, 1, constantOfShape},
      {"", "Range", 11, 3, range},
  };
  return table;
}
