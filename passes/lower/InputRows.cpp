// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loads from the buffers of a tensor or an activation.
#include "passes/lower/InputRows.h"

#include "passes/lower/RowBuilder.h"

using namespace mlir;
using namespace halftone;

InputRows::InputRows(lowbit::LinearOp linear, OpBuilder &builder, Location loc) : builder(builder), loc(loc) {
  const auto weight = linear.getWeight().getType();
  const int64_t group = cast<kernel::LayoutAttr>(weight.getEncoding()).get().group;
  auto activation = linear.getInput().getDefiningOp<kernel::ActivationOp>();
  elements = activation ? activation.getCodes() : bufferOf(linear.getInput());
  stored = read = VectorType::get({group}, cast<MemRefType>(elements.getType()).getElementType());
  if (!activation)
    return;
  scales = activation.getScales();
  sums = activation.getSums();
  if (weight.getFormat().getValue().isPlain())
    read = VectorType::get({group}, builder.getBF16Type());
}

Value InputRows::group(Value token, Value column) {
  Value bits = vector::LoadOp::create(builder, loc, stored, elements, ValueRange{token, column});
  return read == stored ? bits : vector::BitCastOp::create(builder, loc, read, bits).getResult();
}

Value InputRows::scale(Value token, Value block) {
  return memref::LoadOp::create(builder, loc, scales, ValueRange{token, block});
}

Value InputRows::sum(Value token, Value block) {
  return memref::LoadOp::create(builder, loc, sums, ValueRange{token, block});
}
