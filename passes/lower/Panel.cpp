// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops that decode, and loads of what they stored.
#include "passes/lower/Panel.h"

using namespace mlir;
using namespace halftone;

/// Vectors of codes decoded together: one line of the narrowest plane.
static constexpr int64_t vectorsAtOnce = 8;

Panel::Panel(Value weight, int64_t tiles, int64_t blocks, OpBuilder &builder, Location loc)
    : builder(builder), loc(loc), packed(weight, builder, loc) {
  const formats::Format format = packed.format();
  if (format.isPlain())
    return;
  const int64_t vectors = formats::vectorCount(packed.layout(), packed.blockLength(0)), lanes = packed.layout().lanes;
  levelMemory = allocate(blocks * vectors, tiles, formats::lineBytes(packed.layout()), builder.getI8Type());
  stepMemory = allocate(blocks, tiles, lanes, builder.getF32Type());
  if (format.zeroPoint)
    zeroMemory = allocate(blocks, tiles, lanes, builder.getI32Type());
}

Value Panel::allocate(int64_t outer, int64_t tiles, int64_t lanes, Type element) {
  return memref::AllocaOp::create(builder, loc, MemRefType::get({outer, tiles, lanes}, element),
                                  builder.getI64IntegerAttr(64));
}

Value Panel::index(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }

void Panel::decode(Value firstTile, int64_t tiles, const BlockRange &range) {
  length = range.length;
  plainOffsets.clear();
  for (int64_t tile = 0; tile < tiles; ++tile) {
    packed.setTile(builder.createOrFold<arith::AddIOp>(loc, firstTile, index(tile)));
    if (packed.format().isPlain()) {
      plainOffsets.push_back(packed.elementOffset(range.column));
      continue;
    }
    auto loop = scf::ForOp::create(builder, loc, index(0), index(range.count), index(1));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    Value block = loop.getInductionVar();
    decodeBlock(tile, packed.blockOffset(arith::AddIOp::create(builder, loc, range.first, block)), block, length);
  }
}

/// Decodes one block of a tile, which begins at `offset`, to place `block`.
void Panel::decodeBlock(int64_t tile, Value offset, Value block, int64_t length) {
  const int64_t vectors = formats::vectorCount(packed.layout(), length);
  Value base = arith::MulIOp::create(builder, loc, block, index(vectors));
  auto decodeSome = [&](Value first, int64_t count) {
    Value place = arith::AddIOp::create(builder, loc, base, first);
    for (auto [i, levels] : llvm::enumerate(packed.levels(offset, first, count, length)))
      store(levels, levelMemory, builder.createOrFold<arith::AddIOp>(loc, place, index(i)), tile);
  };
  const int64_t whole = vectors / vectorsAtOnce * vectorsAtOnce;
  {
    auto loop = scf::ForOp::create(builder, loc, index(0), index(whole), index(vectorsAtOnce));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    decodeSome(loop.getInductionVar(), vectorsAtOnce);
  }
  if (whole < vectors)
    decodeSome(index(whole), vectors - whole);
  store(packed.steps(offset, length), stepMemory, block, tile);
  if (zeroMemory)
    store(packed.zeros(offset, length), zeroMemory, block, tile);
}

Value Panel::levels(Value vector, int64_t tile) {
  return levelMemory ? load(levelMemory, vector, tile) : packed.levels(plainOffsets[tile], vector, 1, length).front();
}

Value Panel::steps(Value block, int64_t tile) { return load(stepMemory, block, tile); }

Value Panel::zeros(Value block, int64_t tile) {
  return zeroMemory ? load(zeroMemory, block, tile) : packed.zeros(Value(), length);
}

Value Panel::load(Value memory, Value outer, int64_t tile) {
  auto type = cast<MemRefType>(memory.getType());
  return vector::LoadOp::create(builder, loc, VectorType::get({type.getDimSize(2)}, type.getElementType()), memory,
                                ValueRange{outer, index(tile), index(0)});
}

void Panel::store(Value vector, Value memory, Value outer, int64_t tile) {
  vector::StoreOp::create(builder, loc, vector, memory, ValueRange{outer, index(tile), index(0)});
}
