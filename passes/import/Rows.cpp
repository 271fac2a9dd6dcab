// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Adds and removes the batch of 1.
#include "passes/import/Rows.h"

using namespace mlir;

static RankedTensorType floatTensor(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getElementType().isF32() ? type : RankedTensorType();
}

bool halftone::importer::isBatchedRows(Value value) {
  RankedTensorType type = floatTensor(value);
  return type && type.getRank() == 3 && type.getDimSize(0) == 1 && !type.isDynamicDim(2);
}

Value halftone::importer::toRows(OpBuilder &builder, Value value) {
  RankedTensorType type = floatTensor(value);
  if (type && type.getRank() == 2)
    return value;
  if (auto expanded = value.getDefiningOp<tensor::ExpandShapeOp>())
    if (expanded.getSrcType().getRank() == 2)
      return expanded.getSrc();
  auto rows = RankedTensorType::get(type.getShape().drop_front(), type.getElementType());
  SmallVector<ReassociationIndices> groups = {{0, 1}, {2}};
  return tensor::CollapseShapeOp::create(builder, value.getLoc(), rows, value, groups);
}

Value halftone::importer::toRows(OpBuilder &builder, Value value, int64_t first, int64_t count) {
  Value rows = toRows(builder, value);
  auto type = cast<RankedTensorType>(rows.getType());
  if (count == type.getDimSize(1))
    return rows;
  OpFoldResult tokens = tensor::getMixedSize(builder, rows.getLoc(), rows, 0);
  OpFoldResult zero = builder.getIndexAttr(0), one = builder.getIndexAttr(1);
  auto part = RankedTensorType::get({type.getDimSize(0), count}, type.getElementType());
  return tensor::ExtractSliceOp::create(
      builder, rows.getLoc(), part, rows, ArrayRef<OpFoldResult>{zero, builder.getIndexAttr(first)},
      ArrayRef<OpFoldResult>{tokens, builder.getIndexAttr(count)}, ArrayRef<OpFoldResult>{one, one});
}

Value halftone::importer::batched(OpBuilder &builder, Value rows) {
  auto type = cast<RankedTensorType>(rows.getType());
  SmallVector<ReassociationIndices> groups = {{0, 1}};
  SmallVector<OpFoldResult> sizes = {builder.getIndexAttr(1), builder.getIndexAttr(type.getDimSize(0))};
  if (type.isDynamicDim(0))
    sizes[1] = tensor::DimOp::create(builder, rows.getLoc(), rows, 0).getResult();
  SmallVector<int64_t> shape = {1};
  for (auto [i, size] : llvm::enumerate(type.getShape())) {
    shape.push_back(size);
    if (i == 0)
      continue;
    groups.push_back({static_cast<int64_t>(i) + 1});
    sizes.push_back(builder.getIndexAttr(size));
  }
  return tensor::ExpandShapeOp::create(builder, rows.getLoc(), RankedTensorType::get(shape, type.getElementType()),
                                       rows, groups, sizes);
}

Value halftone::importer::asLike(OpBuilder &builder, Value rows, Value like) {
  return cast<RankedTensorType>(like.getType()).getRank() == 2 ? rows : batched(builder, rows);
}
