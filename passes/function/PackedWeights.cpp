// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators on weights whose codes of a few bits lie packed in bytes, with a scale per block.
#include "passes/function/Conversion.h"
#include "passes/import/ImportGraph.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::function;

/// Field `at` of `bits` bits, lowest first, of the bytes from `start` on in the last dimension of `packed`, as i32.
static Value field(TensorBuilder &s, Value packed, ArrayRef<Value> row, Value at, int64_t bits) {
  const int64_t perByte = 8 / bits;
  SmallVector<Value> from(row);
  from.push_back(s.make<arith::DivUIOp>(at, s.index(perByte)));
  Value byte = s.convert(s.read(packed, from), s.builder.getI32Type(), true);
  Value place = s.make<arith::MulIOp>(s.make<arith::RemUIOp>(at, s.index(perByte)), s.index(bits));
  Value shifted = s.make<arith::ShRUIOp>(byte, s.convert(place, s.builder.getI32Type()));
  return s.make<arith::AndIOp>(shifted, s.number(s.builder.getI32Type(), static_cast<double>((1 << bits) - 1)));
}

/// What import makes of a tensor of elements under 8 bits: its bytes, and what they hold.
static Results unpack(Conversion &c) {
  auto shape = importer::listParameter(c.node, "shape");
  const int64_t bits = c.parameter("bits", int64_t(4));
  const bool isSigned = c.parameter("signed", int64_t(0));
  if (!shape)
    return c.fail("the shape is missing");
  int64_t count = 1;
  for (int64_t size : *shape)
    count *= size;
  c.given = IntegerType::get(c.node.getContext(), bits, isSigned ? IntegerType::Signless : IntegerType::Unsigned);
  const Type type = heldAs(c.given);
  Value flat = c.b.generate(type, {count}, [&](TensorBuilder &s, ValueRange at) -> Value {
    Value code = field(s, c.input(0), {}, at[0], bits);
    if (!isSigned)
      return s.convert(code, type);
    Value up = s.number(s.builder.getI32Type(), static_cast<double>(32 - bits));
    return s.convert(s.make<arith::ShRSIOp>(s.make<arith::ShLIOp>(code, up), up), type);
  });
  return SmallVector<Value, 2>{c.b.reshape(flat, *shape)};
}

/// Weights [rows, columns] in numbers from packed codes [rows, blocks, bytes of a block], scales [rows, blocks] and
/// perhaps zero points, packed per row or plain numbers; without them the zero point is the middle.
static Value unpackedBlocks(TensorBuilder &b, Value packed, Value scales, Value zeros, int64_t rows, int64_t columns,
                            int64_t bits, int64_t block) {
  const int64_t blocks = (columns + block - 1) / block;
  const Type wide = widened(elementOf(scales));
  packed = b.reshape(packed, {rows, blocks, block * bits / 8});
  scales = b.reshape(scales, {rows, blocks});
  const bool isPacked = zeros && isa<IntegerType>(elementOf(zeros));
  if (zeros)
    zeros = b.reshape(zeros, {rows, isPacked ? (blocks * bits + 7) / 8 : blocks});
  return b.generate(wide, {rows, columns}, [&](TensorBuilder &s, ValueRange at) {
    Value which = s.make<arith::DivUIOp>(at[1], s.index(block)), inside = s.make<arith::RemUIOp>(at[1], s.index(block));
    Value code = s.convert(field(s, packed, {at[0], which}, inside, bits), wide), zero;
    if (!zeros)
      zero = s.number(wide, static_cast<double>(1 << (bits - 1)));
    else
      zero = s.convert(isPacked ? field(s, zeros, at[0], which, bits) : s.read(zeros, {at[0], which}), wide);
    return s.make<arith::MulFOp>(s.make<arith::SubFOp>(code, zero), s.convert(s.read(scales, {at[0], which}), wide));
  });
}

/// x rounded to int8 codes times a scale per block of each row, as numbers again: scale = absmax / 127.
static Value roundedBlocks(TensorBuilder &b, Value x, int64_t block) {
  SmallVector<int64_t> shape(shapeOf(x)), blocks(shape), after(shape.size(), 0), before(after);
  after.back() = (block - shape.back() % block) % block;
  x = b.pad(x, before, after, 0);
  blocks.back() = shapeOf(x).back() / block;
  blocks.push_back(block);
  Value split = b.reshape(x, blocks);
  Value largest = b.reduce(split, rankOf(split) - 1, 0, [](TensorBuilder &s, ValueRange v) {
    return s.make<arith::MaximumFOp>(v[0], s.make<math::AbsFOp>(v[1]));
  });
  Value rounded = b.map({split, largest}, elementOf(x), [](TensorBuilder &s, ValueRange v) -> Value {
    const Type type = v[0].getType();
    Value scale = s.make<arith::DivFOp>(v[1], s.number(type, 127)), zero = s.number(type, 0);
    Value factor = s.make<arith::DivFOp>(s.number(type, 1), scale);
    Value code = s.make<math::RoundEvenOp>(s.make<arith::MulFOp>(v[0], factor));
    Value isZero = s.make<arith::CmpFOp>(arith::CmpFPredicate::OEQ, v[1], zero);
    return s.make<arith::SelectOp>(isZero, zero, s.make<arith::MulFOp>(code, scale));
  });
  return b.part(b.reshape(rounded, shapeOf(x)), rankOf(x) - 1, 0, shape.back());
}

/// The accuracy level that asks for int8 activations, one scale per block of the weights.
static constexpr int64_t int8Activations = 4;

/// A product with the transpose of packed weights [N, K].
static Results multiplyPacked(Conversion &c) {
  const int64_t columns = c.parameter("K", int64_t(0)), rows = c.parameter("N", int64_t(0)),
                bits = c.parameter("bits", int64_t(4)), block = c.parameter("block_size", int64_t(0));
  if (rankOf(c.input(0)) < 2 || shapeOf(c.input(0)).back() != columns)
    return c.fail("the input has not " + Twine(columns) + " columns");
  if ((bits != 2 && bits != 4 && bits != 8) || block < 16 || block % 8 != 0 || rows < 0 || c.has(4))
    return c.fail(Twine(bits) + " bits in blocks of " + Twine(block) + ", or reordered columns, are not supported");
  Value weights = unpackedBlocks(c.b, c.input(1), c.input(2), c.input(3), rows, columns, bits, block);
  const Type type = elementOf(c.input(0));
  Value x = c.b.cast(c.input(0), elementOf(weights));
  if (c.parameter("accuracy_level", int64_t(0)) == int8Activations)
    x = roundedBlocks(c.b, x, block);
  Value result = c.b.cast(c.b.product(x, weights, true), type);
  if (c.has(5))
    result = c.b.add(result, c.input(5));
  return SmallVector<Value, 2>{result};
}

/// Rows of a packed table [rows, bytes of a row], or of one whose codes are a byte each already: data, indices, scales,
/// zero points.
static Results gatherPacked(Conversion &c) {
  Value data = c.input(0), indices = c.input(1), scales = c.input(2), zeros = c.input(3);
  const int64_t bits = c.parameter("bits", int64_t(4)), block = c.parameter("block_size", int64_t(128));
  for (size_t i : {0, 2, 3})
    if (failed(c.expectRank(i, 2)))
      return failure();
  if (c.parameter("gather_axis", int64_t(0)) != 0 || c.axis(c.parameter("quantize_axis", int64_t(1)), 2) != 1 ||
      (bits != 2 && bits != 4 && bits != 8) || block < 16 || !isa<FloatType>(elementOf(scales)))
    return c.fail("only rows of a matrix in blocks of at least 16 along its rows, of 2, 4 or 8 bits, are supported");
  // What import unpacked has one code per element, signed or not; bytes hold 8 / bits.
  const bool isSingle = (shapeOf(data)[1] + block - 1) / block == shapeOf(scales)[1] &&
                        !(c.isUnsigned(0) && (shapeOf(data)[1] * 8 / bits + block - 1) / block == shapeOf(scales)[1]);
  const bool isUnsigned = c.isUnsigned(0);
  const int64_t columns = isSingle ? shapeOf(data)[1] : shapeOf(data)[1] * 8 / bits;
  const Type wide = widened(elementOf(scales)), i32 = c.b.builder.getI32Type();
  const bool zerosPacked = zeros && shapeOf(zeros)[1] != shapeOf(scales)[1];
  const int64_t rows = shapeOf(data)[0], blocks = (columns + block - 1) / block;
  if (failed(c.expectShape(2, {rows, blocks})) ||
      failed(c.expectShape(3, {rows, zerosPacked ? (blocks * bits + 7) / 8 : blocks})) ||
      failed(c.expectIndices(indices, rows)))
    return failure();
  SmallVector<int64_t> shape(shapeOf(indices));
  shape.push_back(columns);
  Value result = c.b.generate(wide, shape, [&](TensorBuilder &s, ValueRange at) {
    Value row = s.place(s.read(indices, at.drop_back()), shapeOf(data)[0]);
    Value which = s.make<arith::DivUIOp>(at.back(), s.index(block));
    Value code =
        isSingle ? s.convert(s.read(data, {row, at.back()}), i32, isUnsigned) : field(s, data, row, at.back(), bits);
    Value zero;
    if (zeros)
      zero = zerosPacked ? field(s, zeros, row, which, bits) : s.convert(s.read(zeros, {row, which}), i32, isUnsigned);
    else // unsigned codes mean 0 in the middle of their range
      zero = s.number(i32, isSingle && !isUnsigned ? 0 : static_cast<double>(1 << (bits - 1)));
    Value number = s.convert(s.make<arith::SubIOp>(code, zero), wide);
    return s.make<arith::MulFOp>(number, s.convert(s.read(scales, {row, which}), wide));
  });
  return SmallVector<Value, 2>{c.b.cast(result, elementOf(scales))};
}

ArrayRef<Operator> halftone::function::packedOperators() {
  static constexpr Operator table[] = {
      {"com.microsoft", "GatherBlockQuantized", 1, 3, gatherPacked},
      {"com.microsoft", "MatMulNBits", 1, 3, multiplyPacked},
      {importer::ownDomain, "Unpack", 0, 1, unpack},
  };
  return table;
}
