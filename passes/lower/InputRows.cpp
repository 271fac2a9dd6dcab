// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loads from the buffers of a tensor or an activation.
#include "passes/lower/InputRows.h"

#include "passes/lower/RowBuilder.h"
#include "passes/targets/Target.h"

using namespace mlir;
using namespace halftone;

InputRows::InputRows(lowbit::LinearOp linear, OpBuilder &builder, Location loc)
    : builder(builder), loc(loc),
      group(cast<kernel::LayoutAttr>(linear.getWeight().getType().getEncoding()).get().group) {
  const auto weight = linear.getWeight().getType();
  auto activation = linear.getInput().getDefiningOp<kernel::ActivationOp>();
  elements = activation ? activation.getCodes() : bufferOf(linear.getInput());
  stored = read = cast<MemRefType>(elements.getType()).getElementType();
  const int64_t bytes = targets::architectureOf(targets::targetOf(linear)).activationBytes;
  atOnce = std::max<int64_t>(8 * bytes / (group * stored.getIntOrFloatBitWidth()), 1);
  if (!activation)
    return;
  scales = activation.getScales();
  sums = activation.getSums();
  if (weight.getFormat().getValue().isPlain())
    read = builder.getBF16Type();
}

Value InputRows::load(Value token, Value column, int64_t count) {
  Value bits =
      vector::LoadOp::create(builder, loc, VectorType::get({count}, stored), elements, ValueRange{token, column});
  return read == stored ? bits
                        : vector::BitCastOp::create(builder, loc, VectorType::get({count}, read), bits).getResult();
}

SmallVector<Value> InputRows::groups(Value token, Value column, int64_t count) {
  SmallVector<Value> all;
  for (int64_t first = 0; first < count; first += atOnce) {
    const int64_t number = std::min(atOnce, count - first);
    Value from =
        builder.createOrFold<arith::AddIOp>(loc, column, arith::ConstantIndexOp::create(builder, loc, first * group));
    Value vector = load(token, from, number * group);
    for (int64_t i = 0; i < number; ++i)
      all.push_back(targets::pieceOf(builder, loc, vector, i, number));
  }
  return all;
}

Value InputRows::scale(Value token, Value block) {
  return memref::LoadOp::create(builder, loc, scales, ValueRange{token, block});
}

Value InputRows::sum(Value token, Value block) {
  return memref::LoadOp::create(builder, loc, sums, ValueRange{token, block});
}
