// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What all conversions ask of their node.
#include "passes/function/Conversion.h"

#include "passes/import/Operator.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace halftone::function;

StringRef Conversion::parameter(StringRef name, StringRef otherwise) {
  auto text = node.getParameters().getAs<StringAttr>(name);
  return text ? text.getValue() : otherwise;
}

std::optional<SmallVector<int64_t>> Conversion::integers(size_t i, StringRef name) {
  return has(i) ? importer::constantIntegers(inputs[i]) : importer::listParameter(node, name);
}

std::optional<double> Conversion::number(size_t i) {
  DenseElementsAttr elements;
  if (!has(i) || !matchPattern(inputs[i], m_Constant(&elements)) || elements.getNumElements() != 1)
    return std::nullopt;
  if (isa<FloatType>(elements.getElementType()))
    return (*elements.getValues<APFloat>().begin()).convertToDouble();
  const APInt value = *elements.getValues<APInt>().begin();
  return isUnsigned(i) || value.getBitWidth() == 1 ? static_cast<double>(value.getZExtValue())
                                                   : static_cast<double>(value.getSExtValue());
}

Value Conversion::signedInput(size_t i) {
  if (!isUnsigned(i))
    return input(i);
  return b.cast(inputs[i], b.builder.getIntegerType(2 * elementOf(inputs[i]).getIntOrFloatBitWidth()),
                /*fromUnsigned=*/true);
}

std::optional<int64_t> Conversion::axis(int64_t given, int64_t rank) const {
  return importer::normalizeAxis(given, static_cast<size_t>(rank));
}

std::string halftone::function::spell(ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream out(text);
  llvm::interleaveComma(shape, out << "[");
  return text + "]";
}

LogicalResult Conversion::expectRank(size_t i, ArrayRef<int64_t> allowed) {
  if (!has(i) || llvm::is_contained(allowed, rankOf(inputs[i])))
    return success();
  std::string numbers;
  for (int64_t rank : allowed)
    numbers += (numbers.empty() ? "" : " or ") + std::to_string(rank);
  return fail("input " + Twine(i) + " has " + Twine(rankOf(inputs[i])) + " dimensions, not " + numbers);
}

LogicalResult Conversion::expectShape(size_t i, ArrayRef<int64_t> shape) {
  if (!has(i) || shapeOf(inputs[i]) == shape)
    return success();
  return fail("input " + Twine(i) + " has the shape " + spell(shapeOf(inputs[i])) + ", not " + spell(shape));
}

/// The first of `indices` that does not name one of `size` elements, else 0, which names one.
static Value firstOutside(TensorBuilder &b, Value indices, int64_t size) {
  Value wide = b.cast(indices, b.builder.getI64Type());
  Value flat = b.reshape(wide, {cast<RankedTensorType>(wide.getType()).getNumElements()});
  return b.reduce(flat, {0}, 0, [&](TensorBuilder &s, ValueRange v) -> Value {
    Value zero = s.number(v[1].getType(), 0);
    Value isBelow = s.make<arith::CmpIOp>(arith::CmpIPredicate::slt, v[1], s.number(v[1].getType(), -size));
    Value isAbove = s.make<arith::CmpIOp>(arith::CmpIPredicate::sge, v[1], s.number(v[1].getType(), size));
    Value fault = s.make<arith::SelectOp>(s.make<arith::OrIOp>(isBelow, isAbove), v[1], zero);
    Value hasFault = s.make<arith::CmpIOp>(arith::CmpIPredicate::ne, v[0], zero);
    return s.make<arith::SelectOp>(hasFault, v[0], fault);
  });
}

LogicalResult Conversion::expectIndices(Value indices, int64_t size) {
  if (isEmpty(shapeOf(indices)))
    return success();
  if (size == 0)
    return fail("indices of 0 elements");
  const auto known = importer::constantIntegers(indices);
  if (!known) {
    checks.push_back({firstOutside(b, indices, size), size});
    return success();
  }
  const auto *outside = llvm::find_if(*known, [&](int64_t index) { return index < -size || index >= size; });
  return outside == known->end() ? success()
                                 : fail("index " + Twine(*outside) + " lies outside of " + Twine(size) + " elements");
}

LogicalResult Conversion::expectOne(size_t i) {
  if (types[i] == types[0] && cast<RankedTensorType>(inputs[i].getType()).getNumElements() == 1)
    return success();
  return fail("input " + Twine(i) + " is not one number of the type of input 0");
}

LogicalResult Conversion::fail(const Twine &reason) { return importer::emitNodeError(node) << reason; }

const Operator *halftone::function::findOperator(StringRef domain, StringRef name) {
  for (ArrayRef<Operator> table :
       {generatorOperators(), elementwiseOperators(), movementOperators(), selectionOperators(), reductionOperators(),
        productOperators(), windowOperators(), attentionOperators(), quantizationOperators(), packedOperators()})
    for (const Operator &row : table)
      if (row.domain == domain && row.name == name)
        return &row;
  return nullptr;
}
