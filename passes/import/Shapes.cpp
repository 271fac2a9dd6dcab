// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators between shapes and elements: Shape, Size, Range, ConstantOfShape, Cast; and the operators of which only the
// shape matters here.
#include "passes/import/Operator.h"

#include <cmath>

using namespace mlir;
using namespace halftone::importer;

static Outputs shapeOf(const Call &call) {
  int64_t rank = call.input(0).shape.size();
  int64_t start = parameter(call.node, "start", int64_t(0)), end = parameter(call.node, "end", rank);
  start = std::clamp(start < 0 ? start + rank : start, int64_t(0), rank);
  end = std::clamp(end < 0 ? end + rank : end, start, rank);
  std::vector<int64_t> sizes(call.input(0).shape.begin() + start, call.input(0).shape.begin() + end);
  Type type = IntegerType::get(call.node.getContext(), 64);
  return SmallVector<Tensor, 1>{Tensor::of(type, {end - start}, std::move(sizes))};
}

static Outputs sizeOf(const Call &call) {
  Type type = IntegerType::get(call.node.getContext(), 64);
  return SmallVector<Tensor, 1>{Tensor::of(type, {}, std::vector<int64_t>{call.input(0).elements()})};
}

/// The longest Range that is computed.
static constexpr int64_t longestRange = int64_t(1) << 24;

static Outputs range(const Call &call) {
  const Tensor &start = call.input(0), &limit = call.input(1), &delta = call.input(2);
  if (start.content != limit.content || start.content != delta.content || !start.isKnown() || start.elements() != 1 ||
      limit.elements() != 1 || delta.elements() != 1)
    return std::nullopt;
  if (start.content == Tensor::Content::Floats) {
    float step = delta.floats[0];
    float count = std::ceil((limit.floats[0] - start.floats[0]) / step);
    if (!(count <= static_cast<float>(longestRange)))
      return std::nullopt;
    std::vector<float> elements;
    for (int64_t i = 0; i < static_cast<int64_t>(count); ++i)
      elements.push_back(start.floats[0] + static_cast<float>(i) * step);
    int64_t size = elements.size();
    return SmallVector<Tensor, 1>{Tensor::of(start.elementType, {size}, std::move(elements))};
  }
  const int64_t step = delta.integers[0], first = start.integers[0], last = limit.integers[0];
  const int64_t size = step > 0 ? stepsBetween(first, last, step) : stepsBetween(last, first, wrapSub(0, step));
  if (step == 0 || size > longestRange)
    return std::nullopt;
  std::vector<int64_t> elements;
  for (int64_t i = 0; i < size; ++i)
    elements.push_back(wrapAdd(first, wrapMul(i, step)));
  return SmallVector<Tensor, 1>{Tensor::of(start.elementType, {size}, std::move(elements))};
}

static Outputs constantOfShape(const Call &call) {
  if (call.input(0).content != Tensor::Content::Integers)
    return std::nullopt;
  Tensor result = Tensor::ofShape(Float32Type::get(call.node.getContext()), call.input(0).integers);
  auto value = call.node.getParameters().getAs<DenseElementsAttr>("value");
  if (value && value.getNumElements() != 1)
    return std::nullopt;
  if (value)
    result.elementType = value.getElementType();
  if (llvm::any_of(result.shape, [](int64_t size) { return size < 0; }) || result.elements() > longestRange)
    return std::nullopt;
  if (isa<FloatType>(result.elementType)) {
    float fill = value ? static_cast<float>((*value.getValues<APFloat>().begin()).convertToDouble()) : 0;
    result.floats.assign(result.elements(), fill);
    result.content = Tensor::Content::Floats;
  } else if (isa<IntegerType>(result.elementType)) {
    const APInt fill = *value.getValues<APInt>().begin();
    result.integers.assign(result.elements(), result.integerOf(fill));
    result.content = Tensor::Content::Integers;
  }
  return SmallVector<Tensor, 1>{result};
}

/// The element types a Cast may name, by TensorProto.DataType. A decoder's half precision is f32 here (ImportGraph).
static Type castType(MLIRContext *context, int64_t number) {
  switch (number) {
  case 1:
    return Float32Type::get(context);
  case 6:
    return IntegerType::get(context, 32);
  case 7:
    return IntegerType::get(context, 64);
  case 9:
    return IntegerType::get(context, 1);
  default:
    return {};
  }
}

static Outputs cast(const Call &call) {
  const Tensor &input = call.input(0);
  Type type = castType(call.node.getContext(), parameter(call.node, "to", int64_t(0)));
  if (!type)
    return std::nullopt;
  if (type == input.elementType)
    return SmallVector<Tensor, 1>{input};
  Tensor result = Tensor::ofShape(type, input.shape);
  if (!input.isKnown())
    return SmallVector<Tensor, 1>{result};
  bool fromFloat = input.content == Tensor::Content::Floats;
  const unsigned bits = type.getIntOrFloatBitWidth();
  for (int64_t i = 0; i < input.elements(); ++i) {
    if (result.isFloat())
      result.floats.push_back(fromFloat ? input.floats[i] : static_cast<float>(input.integers[i]));
    else if (result.isBoolean())
      result.integers.push_back(fromFloat ? input.floats[i] != 0 : input.integers[i] != 0);
    else
      result.integers.push_back(fromFloat ? truncated(input.floats[i], bits) : input.integers[i]);
  }
  result.content = result.isFloat() ? Tensor::Content::Floats : Tensor::Content::Integers;
  return SmallVector<Tensor, 1>{result};
}

/// One output like the first input.
static Outputs likeFirst(const Call &call) {
  return SmallVector<Tensor, 1>{Tensor::ofShape(call.input(0).elementType, call.input(0).shape)};
}

ArrayRef<Operator> halftone::importer::shapeOperators() {
  static constexpr Operator table[] = {
      {"Cast", cast}, {"ConstantOfShape", constantOfShape}, {"Range", range}, {"Shape", shapeOf}, {"Size", sizeOf}};
  return table;
}

ArrayRef<Operator> halftone::importer::opaqueOperators() {
  static constexpr Operator table[] = {
      {"RMSNormalization", likeFirst}, {"SimplifiedLayerNormalization", likeFirst}, {"Softmax", likeFirst}};
  return table;
}

const Operator *halftone::importer::findOperator(StringRef name) {
  for (ArrayRef<Operator> table :
       {movementOperators(), arithmeticOperators(), reductionOperators(), shapeOperators(), opaqueOperators()})
    for (const Operator &row : table)
      if (row.name == name)
        return &row;
  return nullptr;
}
