// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each building block is one or two operations of linalg or tensor.
#include "passes/function/TensorBuilder.h"

#include "passes/import/Tensor.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>
#include <limits>
#include <unistd.h>

using namespace mlir;
using namespace halftone;
using namespace halftone::function;

ArrayRef<int64_t> halftone::function::shapeOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getShape();
}
Type halftone::function::elementOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getElementType(); }
int64_t halftone::function::rankOf(Value tensor) { return static_cast<int64_t>(shapeOf(tensor).size()); }

Type halftone::function::widened(Type element) {
  return isa<FloatType>(element) && element.getIntOrFloatBitWidth() < 32 ? Float32Type::get(element.getContext())
                                                                         : element;
}

//===-- Faults ----------------------------------------------------------------------------------------------------===//

bool TensorBuilder::require(bool holds, StringRef reason) {
  if (!holds && firstFault.empty())
    firstFault = reason;
  return holds;
}

bool TensorBuilder::requireSameType(ValueRange tensors) {
  return require(llvm::all_of(tensors, [&](Value tensor) { return elementOf(tensor) == elementOf(tensors[0]); }),
                 "inputs have different types");
}

bool TensorBuilder::requireFit(bool holds) { return require(holds, "shapes do not fit"); }

//===-- Scalars ---------------------------------------------------------------------------------------------------===//

Value TensorBuilder::number(Type type, double value) {
  if (isa<FloatType>(type))
    return make<arith::ConstantOp>(builder.getFloatAttr(type, value));
  // Infinities are the ends of the range.
  const unsigned width = type.getIntOrFloatBitWidth();
  if (width == 1) // false and true
    return make<arith::ConstantOp>(builder.getIntegerAttr(type, value > 0));
  APInt integer = value == std::numeric_limits<double>::infinity() ? APInt::getSignedMaxValue(width)
                  : value == -std::numeric_limits<double>::infinity()
                      ? APInt::getSignedMinValue(width)
                      : APInt(width, static_cast<int64_t>(value), true, true);
  return make<arith::ConstantOp>(builder.getIntegerAttr(type, integer));
}

Value TensorBuilder::index(int64_t value) { return make<arith::ConstantIndexOp>(value); }

Value TensorBuilder::place(Value index, int64_t size) {
  Value given = convert(index, builder.getIndexType()), zero = this->index(0);
  Value isBelow = make<arith::CmpIOp>(arith::CmpIPredicate::slt, given, zero);
  Value wrapped = make<arith::SelectOp>(isBelow, make<arith::AddIOp>(given, this->index(size)), given);
  return make<arith::MaxSIOp>(zero, make<arith::MinSIOp>(wrapped, this->index(size - 1)));
}

static Value convertFloat(TensorBuilder &b, Value scalar, FloatType type) {
  const unsigned from = scalar.getType().getIntOrFloatBitWidth(), to = type.getWidth();
  if (from == to) // between the two halves
    return b.make<arith::TruncFOp>(type, b.make<arith::ExtFOp>(b.builder.getF32Type(), scalar));
  return from < to ? b.make<arith::ExtFOp>(type, scalar) : b.make<arith::TruncFOp>(type, scalar);
}

static Value convertInteger(TensorBuilder &b, Value scalar, IntegerType type, bool isUnsigned) {
  const unsigned from = scalar.getType().getIntOrFloatBitWidth(), to = type.getWidth();
  if (from > to)
    return b.make<arith::TruncIOp>(type, scalar);
  return isUnsigned ? b.make<arith::ExtUIOp>(type, scalar) : b.make<arith::ExtSIOp>(type, scalar);
}

/// Rounds toward zero. What lies outside the type becomes the nearest number inside, and what is no number becomes 0:
/// ONNX leaves both open, processors differ, and LLVM's operation may give anything.
static Value convertToInteger(TensorBuilder &b, Value scalar, IntegerType type, bool isUnsigned) {
  using P = arith::CmpFPredicate;
  const unsigned width = type.getWidth();
  const double above = std::ldexp(1.0, static_cast<int>(isUnsigned ? width : width - 1));
  const APInt least = isUnsigned ? APInt::getZero(width) : APInt::getSignedMinValue(width);
  const APInt most = isUnsigned ? APInt::getMaxValue(width) : APInt::getSignedMaxValue(width);
  Value result = isUnsigned ? b.make<arith::FPToUIOp>(type, scalar) : b.make<arith::FPToSIOp>(type, scalar);
  auto unless = [&](P predicate, double bound, const APInt &instead) {
    Value isOutside = b.make<arith::CmpFOp>(predicate, scalar, b.number(scalar.getType(), bound));
    Value number = b.make<arith::ConstantOp>(b.builder.getIntegerAttr(type, instead));
    result = b.make<arith::SelectOp>(isOutside, number, result);
  };
  unless(P::OGE, above, most);
  unless(P::OLE, isUnsigned ? 0 : -above, least);
  unless(P::UNO, 0, APInt::getZero(width));
  return result;
}

Value TensorBuilder::convert(Value scalar, Type type, bool fromUnsigned, bool toUnsigned) {
  const Type from = scalar.getType();
  if (from == type)
    return scalar;
  if (isa<IndexType>(type) && isa<FloatType>(from))
    scalar = convertToInteger(*this, scalar, builder.getI64Type(), false);
  if (isa<IndexType>(from) || isa<IndexType>(type))
    return fromUnsigned ? make<arith::IndexCastUIOp>(type, scalar) : make<arith::IndexCastOp>(type, scalar);
  fromUnsigned |= from.isInteger(1);
  auto toFloat = dyn_cast<FloatType>(type);
  if (type.isInteger(1))
    return isa<FloatType>(from) ? make<arith::CmpFOp>(arith::CmpFPredicate::UNE, scalar, number(from, 0))
                                : make<arith::CmpIOp>(arith::CmpIPredicate::ne, scalar, number(from, 0));
  if (isa<FloatType>(from) && toFloat)
    return convertFloat(*this, scalar, toFloat);
  if (toFloat)
    return fromUnsigned ? make<arith::UIToFPOp>(type, scalar) : make<arith::SIToFPOp>(type, scalar);
  if (isa<FloatType>(from))
    return convertToInteger(*this, scalar, cast<IntegerType>(type), toUnsigned);
  return convertInteger(*this, scalar, cast<IntegerType>(type), fromUnsigned);
}

//===-- Maps ------------------------------------------------------------------------------------------------------===//

/// Whether the machine has memory for a tensor.
static bool fitsMemory(Type element, ArrayRef<int64_t> shape) {
  static const int64_t memory = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  int64_t bytes = (element.getIntOrFloatBitWidth() + 7) / 8;
  for (int64_t size : shape)
    if (__builtin_mul_overflow(bytes, size, &bytes))
      return isEmpty(shape);
  return bytes <= memory;
}

Value TensorBuilder::empty(Type element, ArrayRef<int64_t> shape) {
  require(fitsMemory(element, shape), "a tensor has more bytes than this machine has memory");
  return make<tensor::EmptyOp>(shape, element);
}

Value TensorBuilder::filled(Type element, ArrayRef<int64_t> shape, double value) {
  return filled(number(element, value), shape);
}

Value TensorBuilder::filled(Value scalar, ArrayRef<int64_t> shape) {
  Value result = empty(scalar.getType(), shape);
  if (isEmpty(shape))
    return result;
  return linalg::FillOp::create(builder, loc, ValueRange(scalar), ValueRange(result)).getResult(0);
}

AffineMap halftone::function::broadcastMap(ArrayRef<int64_t> shape, ArrayRef<int64_t> target, MLIRContext *context) {
  SmallVector<AffineExpr> results;
  const size_t lead = target.size() - shape.size();
  for (size_t i = 0; i < shape.size(); ++i)
    results.push_back(shape[i] == 1 && target[lead + i] != 1 ? getAffineConstantExpr(0, context)
                                                             : getAffineDimExpr(lead + i, context));
  return AffineMap::get(target.size(), 0, results, context);
}

/// The loops' elements, those of halves widened.
static SmallVector<Value> widen(TensorBuilder &b, ValueRange operands) {
  SmallVector<Value> wide;
  for (Value operand : operands)
    wide.push_back(b.convert(operand, widened(operand.getType())));
  return wide;
}

Value TensorBuilder::map(ValueRange inputs, Type element, Body body) {
  SmallVector<int64_t> shape(shapeOf(inputs[0])), both;
  for (Value input : inputs.drop_front()) {
    if (!requireFit(importer::broadcast(shape, shapeOf(input), both)))
      return empty(element, shape);
    shape = both;
  }
  Value out = empty(element, shape);
  if (isEmpty(shape))
    return out;
  SmallVector<AffineMap> maps;
  for (Value input : inputs)
    maps.push_back(broadcastMap(shapeOf(input), shape, builder.getContext()));
  maps.push_back(builder.getMultiDimIdentityMap(shape.size()));
  SmallVector<utils::IteratorType> loops(shape.size(), utils::IteratorType::parallel);
  auto emit = [&](OpBuilder &inner, Location, ValueRange operands) {
    TensorBuilder scalars(inner, loc);
    Value result = body(scalars, widen(scalars, operands.drop_back()));
    require(scalars.firstFault.empty(), scalars.firstFault);
    linalg::YieldOp::create(inner, loc, scalars.convert(result, element));
  };
  return linalg::GenericOp::create(builder, loc, TypeRange(out.getType()), inputs, ValueRange(out), maps, loops, emit)
      .getResult(0);
}

Value TensorBuilder::generate(Type element, ArrayRef<int64_t> shape, Body body) {
  Value out = empty(element, shape);
  if (isEmpty(shape))
    return out;
  const AffineMap maps[] = {builder.getMultiDimIdentityMap(shape.size())};
  SmallVector<utils::IteratorType> loops(shape.size(), utils::IteratorType::parallel);
  auto emit = [&](OpBuilder &inner, Location, ValueRange) {
    TensorBuilder scalars(inner, loc);
    SmallVector<Value> coordinates;
    for (size_t i = 0; i < shape.size(); ++i)
      coordinates.push_back(scalars.make<linalg::IndexOp>(static_cast<int64_t>(i)));
    Value result = body(scalars, coordinates);
    require(scalars.firstFault.empty(), scalars.firstFault);
    linalg::YieldOp::create(inner, loc, scalars.convert(result, element));
  };
  return linalg::GenericOp::create(builder, loc, TypeRange(out.getType()), ValueRange(), ValueRange(out), maps, loops,
                                   emit)
      .getResult(0);
}

Value TensorBuilder::read(Value tensor, ValueRange coordinates) {
  if (!requireFit(static_cast<int64_t>(coordinates.size()) == rankOf(tensor) && !isEmpty(shapeOf(tensor))))
    return number(elementOf(tensor), 0);
  return make<tensor::ExtractOp>(tensor, coordinates);
}

Value TensorBuilder::cast(Value tensor, Type element, bool fromUnsigned, bool toUnsigned) {
  if (elementOf(tensor) == element)
    return tensor;
  return map(tensor, element,
             [&](TensorBuilder &b, ValueRange x) { return b.convert(x[0], element, fromUnsigned, toUnsigned); });
}

//===-- Reductions and products -----------------------------------------------------------------------------------===//

Value TensorBuilder::reduceWindows(Value tensor, AffineMap source, ArrayRef<int64_t> shape, ArrayRef<int64_t> window,
                                   double start, Body step) {
  const Type element = elementOf(tensor), wide = widened(element);
  Value total = filled(wide, shape, start);
  if (isEmpty(shape) || isEmpty(window))
    return cast(total, element);
  const unsigned rank = shape.size() + window.size();
  // The place that nobody writes gives the window's loops their sizes.
  const AffineMap all = AffineMap::getMultiDimIdentityMap(rank, builder.getContext());
  SmallVector<AffineMap> maps = {source, all.getMinorSubMap(window.size())};
  SmallVector<Value> inputs = {tensor, empty(element, window)};
  maps.push_back(all.getMajorSubMap(shape.size()));
  SmallVector<utils::IteratorType> loops(shape.size(), utils::IteratorType::parallel);
  loops.append(window.size(), utils::IteratorType::reduction);
  auto emit = [&](OpBuilder &inner, Location, ValueRange operands) {
    TensorBuilder scalars(inner, loc);
    const Value pair[] = {operands.back(), scalars.convert(operands[0], wide)};
    linalg::YieldOp::create(inner, loc, step(scalars, pair));
  };
  Value result =
      linalg::GenericOp::create(builder, loc, TypeRange(total.getType()), inputs, ValueRange(total), maps, loops, emit)
          .getResult(0);
  return cast(result, element);
}

Value TensorBuilder::reduce(Value tensor, ArrayRef<int64_t> axes, double start, Body step) {
  if (axes.empty()) // every element is a sum of its own
    return map(tensor, elementOf(tensor), [&](TensorBuilder &b, ValueRange v) {
      return step(b, ValueRange{b.number(v[0].getType(), start), v[0]});
    });
  ArrayRef<int64_t> from = shapeOf(tensor);
  MLIRContext *context = builder.getContext();
  SmallVector<int64_t> shape(from), window;
  SmallVector<AffineExpr> source;
  for (size_t i = 0; i < from.size(); ++i) {
    if (llvm::is_contained(axes, static_cast<int64_t>(i))) {
      source.push_back(getAffineDimExpr(from.size() + window.size(), context));
      window.push_back(from[i]);
      shape[i] = 1;
    } else {
      source.push_back(getAffineDimExpr(i, context));
    }
  }
  return reduceWindows(tensor, AffineMap::get(from.size() + window.size(), 0, source, context), shape, window, start,
                       step);
}

Value TensorBuilder::contract(Value a, AffineMap mapA, Value b, AffineMap mapB, AffineMap resultMap,
                              ArrayRef<int64_t> sizes, ArrayRef<int64_t> shape, Type element) {
  const Type wide = widened(element);
  Value total = filled(wide, shape, 0);
  if (isEmpty(sizes))
    return cast(total, element);
  SmallVector<utils::IteratorType> loops(sizes.size(), utils::IteratorType::reduction);
  for (AffineExpr result : resultMap.getResults())
    if (auto dimension = dyn_cast<AffineDimExpr>(result))
      loops[dimension.getPosition()] = utils::IteratorType::parallel;
  auto emit = [&](OpBuilder &inner, Location, ValueRange operands) {
    TensorBuilder s(inner, loc);
    Value x = s.convert(operands[0], wide), y = s.convert(operands[1], wide), sum;
    if (isa<FloatType>(wide))
      sum = s.make<arith::AddFOp>(operands[2], s.make<arith::MulFOp>(x, y, anyOrder), anyOrder);
    else
      sum = s.make<arith::AddIOp>(operands[2], s.make<arith::MulIOp>(x, y));
    linalg::YieldOp::create(inner, loc, sum);
  };
  const AffineMap maps[] = {mapA, mapB, resultMap};
  Value result = linalg::GenericOp::create(builder, loc, TypeRange(total.getType()), ValueRange{a, b},
                                           ValueRange(total), maps, loops, emit)
                     .getResult(0);
  return cast(result, element);
}

/// Loops of a product: the batch, the rows, then columns and sums in the order in which b lies in memory.
Value TensorBuilder::product(Value a, Value b, bool turned) {
  SmallVector<int64_t> batch;
  if (!requireSameType({a, b}) || !requireFit(rankOf(a) >= 2 && rankOf(b) >= 2) ||
      !requireFit(shapeOf(a).back() == shapeOf(b)[rankOf(b) - (turned ? 1 : 2)] &&
                  importer::broadcast(shapeOf(a).drop_back(2), shapeOf(b).drop_back(2), batch)))
    return a;
  MLIRContext *context = builder.getContext();
  ArrayRef<int64_t> batchA = shapeOf(a).drop_back(2), batchB = shapeOf(b).drop_back(2);
  const int64_t rank = static_cast<int64_t>(batch.size()), m = shapeOf(a)[rankOf(a) - 2], k = shapeOf(a).back(),
                n = shapeOf(b)[rankOf(b) - (turned ? 2 : 1)];
  const AffineExpr row = getAffineDimExpr(rank, context);
  const AffineExpr column = getAffineDimExpr(rank + (turned ? 1 : 2), context);
  const AffineExpr inner = getAffineDimExpr(rank + (turned ? 2 : 1), context);
  auto mapOf = [&](ArrayRef<int64_t> own, ArrayRef<AffineExpr> last) {
    SmallVector<AffineExpr> results(broadcastMap(own, batch, context).getResults());
    llvm::append_range(results, last);
    return AffineMap::get(rank + 3, 0, results, context);
  };
  SmallVector<int64_t> sizes(batch), shape(batch);
  sizes.append(turned ? std::initializer_list<int64_t>{m, n, k} : std::initializer_list<int64_t>{m, k, n});
  shape.append({m, n});
  return contract(a, mapOf(batchA, {row, inner}), b,
                  mapOf(batchB, turned ? ArrayRef<AffineExpr>{column, inner} : ArrayRef<AffineExpr>{inner, column}),
                  mapOf(batch, {row, column}), sizes, shape, elementOf(a));
}
