// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Between the element types of a graph and those of code.
#include "passes/function/ElementType.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Matchers.h"

#include <algorithm>

using namespace mlir;
using namespace halftone::function;

namespace {
enum class Kind : uint8_t { Float, Brain, Signed, Unsigned };
struct Row {
  int64_t number; ///< TensorProto.DataType
  unsigned bits;
  Kind kind;
};
} // namespace

static constexpr Row table[] = {
    {1, 32, Kind::Float},  {2, 8, Kind::Unsigned},  {3, 8, Kind::Signed},     {4, 16, Kind::Unsigned},
    {5, 16, Kind::Signed}, {6, 32, Kind::Signed},   {7, 64, Kind::Signed},    {9, 1, Kind::Signed},
    {10, 16, Kind::Float}, {11, 64, Kind::Float},   {12, 32, Kind::Unsigned}, {13, 64, Kind::Unsigned},
    {16, 16, Kind::Brain}, {21, 4, Kind::Unsigned}, {22, 4, Kind::Signed},
};

Type halftone::function::elementTypeOf(MLIRContext *context, int64_t number) {
  const Row *row = llvm::find_if(table, [&](const Row &row) { return row.number == number; });
  if (row == std::end(table))
    return {};
  if (row->kind == Kind::Brain)
    return BFloat16Type::get(context);
  if (row->kind == Kind::Float)
    return row->bits == 16   ? Type(Float16Type::get(context))
           : row->bits == 32 ? Type(Float32Type::get(context))
                             : Type(Float64Type::get(context));
  return IntegerType::get(context, row->bits,
                          row->kind == Kind::Unsigned ? IntegerType::Unsigned : IntegerType::Signless);
}

Type halftone::function::heldAs(Type element) {
  auto integer = dyn_cast<IntegerType>(element);
  if (!integer || integer.getWidth() == 1)
    return element;
  return IntegerType::get(element.getContext(), std::max(integer.getWidth(), 8U));
}

Value halftone::function::held(OpBuilder &builder, Value tensor) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type || heldAs(type.getElementType()) == type.getElementType())
    return tensor;
  if (auto cast = tensor.getDefiningOp<UnrealizedConversionCastOp>())
    return cast.getInputs()[0];
  const Type element = heldAs(type.getElementType());
  DenseElementsAttr constant;
  if (matchPattern(tensor, m_Constant(&constant)))
    return arith::ConstantOp::create(builder, tensor.getLoc(), constant.bitcast(element));
  return asElements(builder, tensor, element);
}

Value halftone::function::asElements(OpBuilder &builder, Value tensor, Type element) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (type.getElementType() == element)
    return tensor;
  return UnrealizedConversionCastOp::create(builder, tensor.getLoc(), type.clone(element), tensor).getResult(0);
}
