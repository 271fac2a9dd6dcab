// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Building blocks that move elements.
#include "passes/function/TensorBuilder.h"
#include "passes/import/Tensor.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::function;

/// As one dimension.
Value TensorBuilder::linear(Value tensor) {
  const int64_t rank = rankOf(tensor);
  auto type = cast<RankedTensorType>(tensor.getType());
  auto flat = RankedTensorType::get({type.getNumElements()}, type.getElementType());
  if (rank == 1)
    return tensor;
  if (rank == 0)
    return make<tensor::ExpandShapeOp>(flat, tensor, ArrayRef<ReassociationIndices>());
  return make<tensor::CollapseShapeOp>(flat, tensor,
                                       ArrayRef<ReassociationIndices>{llvm::to_vector<2>(llvm::seq<int64_t>(0, rank))});
}

Value TensorBuilder::reshape(Value tensor, ArrayRef<int64_t> shape) {
  if (shapeOf(tensor) == shape)
    return tensor;
  if (isEmpty(shape) || !requireFit(cast<RankedTensorType>(tensor.getType()).getNumElements() ==
                                    RankedTensorType::get(shape, elementOf(tensor)).getNumElements()))
    return empty(elementOf(tensor), shape);
  Value flat = linear(tensor);
  auto type = RankedTensorType::get(shape, elementOf(tensor));
  if (shape.empty())
    return make<tensor::CollapseShapeOp>(type, flat, ArrayRef<ReassociationIndices>());
  if (shape.size() == 1)
    return flat;
  return make<tensor::ExpandShapeOp>(
      type, flat, ArrayRef<ReassociationIndices>{llvm::to_vector<2>(llvm::seq<int64_t>(0, shape.size()))});
}

/// Copies elements of `tensor` by a map from the result's loops.
static Value move(TensorBuilder &b, Value tensor, AffineMap source, ArrayRef<int64_t> shape) {
  Value out = b.empty(elementOf(tensor), shape);
  if (isEmpty(shape))
    return out;
  const AffineMap maps[] = {source, b.builder.getMultiDimIdentityMap(shape.size())};
  SmallVector<utils::IteratorType> loops(shape.size(), utils::IteratorType::parallel);
  auto emit = [&](OpBuilder &inner, Location, ValueRange operands) {
    linalg::YieldOp::create(inner, b.loc, operands[0]);
  };
  return linalg::GenericOp::create(b.builder, b.loc, TypeRange(out.getType()), ValueRange(tensor), ValueRange(out),
                                   maps, loops, emit)
      .getResult(0);
}

Value TensorBuilder::transpose(Value tensor, ArrayRef<int64_t> order) {
  if (!requireFit(static_cast<int64_t>(order.size()) == rankOf(tensor)))
    return tensor;
  SmallVector<int64_t> shape;
  SmallVector<AffineExpr> source(order.size());
  for (auto [i, axis] : llvm::enumerate(order)) {
    shape.push_back(shapeOf(tensor)[axis]);
    source[axis] = builder.getAffineDimExpr(i);
  }
  return move(*this, tensor, AffineMap::get(order.size(), 0, source, builder.getContext()), shape);
}

Value TensorBuilder::expand(Value tensor, ArrayRef<int64_t> shape) {
  SmallVector<int64_t> both;
  if (shapeOf(tensor) == shape || !requireFit(importer::broadcast(shapeOf(tensor), shape, both) && both == shape))
    return tensor;
  return move(*this, tensor, broadcastMap(shapeOf(tensor), shape, builder.getContext()), shape);
}

Value TensorBuilder::slice(Value tensor, ArrayRef<int64_t> starts, ArrayRef<int64_t> sizes, ArrayRef<int64_t> steps) {
  if (isEmpty(sizes) || !requireFit(static_cast<int64_t>(sizes.size()) == rankOf(tensor)))
    return empty(elementOf(tensor), sizes);
  if (sizes == shapeOf(tensor) && llvm::all_of(steps, [](int64_t step) { return step == 1; }))
    return tensor;
  if (llvm::all_of(steps, [](int64_t step) { return step > 0; })) {
    auto attributes = [&](ArrayRef<int64_t> values) {
      return llvm::to_vector(
          llvm::map_range(values, [&](int64_t v) -> OpFoldResult { return builder.getIndexAttr(v); }));
    };
    return make<tensor::ExtractSliceOp>(tensor, attributes(starts), attributes(sizes), attributes(steps));
  }
  return generate(elementOf(tensor), sizes, [&](TensorBuilder &b, ValueRange at) {
    SmallVector<Value> from;
    for (auto [i, coordinate] : llvm::enumerate(at))
      from.push_back(b.make<arith::AddIOp>(b.make<arith::MulIOp>(coordinate, b.index(steps[i])), b.index(starts[i])));
    return b.read(tensor, from);
  });
}

Value TensorBuilder::part(Value tensor, int64_t axis, int64_t start, int64_t count) {
  SmallVector<int64_t> starts(rankOf(tensor), 0), sizes(shapeOf(tensor)), steps(rankOf(tensor), 1);
  if (!requireFit(axis < rankOf(tensor) && start >= 0 && count >= 0 && start + count <= sizes[axis]))
    return tensor;
  starts[axis] = start;
  sizes[axis] = count;
  return slice(tensor, starts, sizes, steps);
}

static Value insert(TensorBuilder &b, Value tensor, Value into, ArrayRef<int64_t> starts) {
  SmallVector<OpFoldResult> offsets, sizes, steps(starts.size(), b.builder.getIndexAttr(1));
  for (auto [start, size] : llvm::zip(starts, shapeOf(tensor))) {
    offsets.push_back(b.builder.getIndexAttr(start));
    sizes.push_back(b.builder.getIndexAttr(size));
  }
  return b.make<tensor::InsertSliceOp>(tensor, into, offsets, sizes, steps);
}

Value TensorBuilder::concat(ValueRange tensors, int64_t axis) {
  if (!requireSameType(tensors))
    return tensors[0];
  SmallVector<Value> parts;
  llvm::copy_if(tensors, std::back_inserter(parts), [](Value tensor) { return !isEmpty(shapeOf(tensor)); });
  if (parts.size() == 1)
    return parts[0];
  SmallVector<int64_t> shape(shapeOf(parts.empty() ? tensors[0] : parts[0]));
  shape[axis] = 0;
  for (Value tensor : parts.empty() ? tensors : ValueRange(parts))
    shape[axis] += shapeOf(tensor)[axis];
  Value result = empty(elementOf(tensors[0]), shape);
  SmallVector<int64_t> starts(shape.size(), 0);
  for (Value tensor : parts) {
    SmallVector<int64_t> own(shapeOf(tensor));
    if (!requireFit(own.size() == shape.size()))
      return result;
    own[axis] = shape[axis];
    if (!requireFit(own == shape))
      return result;
    result = insert(*this, tensor, result, starts);
    starts[axis] += shapeOf(tensor)[axis];
  }
  return result;
}

Value TensorBuilder::pad(Value tensor, ArrayRef<int64_t> before, ArrayRef<int64_t> after, double value) {
  return pad(tensor, before, after, number(elementOf(tensor), value));
}

Value TensorBuilder::pad(Value tensor, ArrayRef<int64_t> before, ArrayRef<int64_t> after, Value value) {
  SmallVector<int64_t> shape;
  for (auto [size, low, high] : llvm::zip(shapeOf(tensor), before, after))
    shape.push_back(size + low + high);
  if (shape == SmallVector<int64_t>(shapeOf(tensor)))
    return tensor;
  Value around = filled(value, shape);
  return isEmpty(shapeOf(tensor)) ? around : insert(*this, tensor, around, before);
}
