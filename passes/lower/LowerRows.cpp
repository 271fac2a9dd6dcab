// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Norms, elementwise operations and activation quantization, one token at a time.
#include "passes/lower/Bfloat16.h"
#include "passes/lower/Passes.h"
#include "passes/lower/Rounding.h"
#include "passes/lower/RowBuilder.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_LOWERROWS
#include "passes/lower/Passes.h.inc"
} // namespace halftone

namespace {

class RowsLowering {
public:
  RowsLowering(KernelOp kernel, OpBuilder &builder)
      : kernel(kernel), builder(builder), loc(kernel.getLoc()), lanes(scheduleOf(kernel).getLanes()),
        rows(builder, loc, lanes) {}

  void run() {
    const int64_t tokens = cast<ShapedType>(kernel.getOuts().front().getType()).getDimSize(0);
    parallelLoop(builder, loc, tokensOfCall(builder, loc, tokens), [&](Value token) {
      kernel.walk([&](RmsNormOp norm) { normalize(norm, token); });
      auto outs = kernel.getOuts().begin();
      for (Value value : kernel.getYielded()) {
        if (isa<ActivationType>(value.getType())) {
          auto op = value.getDefiningOp<QuantizeActivationOp>();
          if (op.getType().getFormat().getValue().isPlain())
            round(op, token, *outs);
          else
            quantize(op, token, outs);
          outs += 3;
        } else {
          write(value, token, *outs++);
        }
      }
    });
  }

private:
  Value f32(float value) { return arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(value)); }

  /// Sums the squares of the row; from then on the norm's value at a place is x * factor * scale.
  void normalize(RmsNormOp norm, Value token) {
    const int64_t channels = cast<ShapedType>(norm.getType()).getDimSize(1);
    Value input = norm.getInput();
    auto squares = rows.forEachVector(rows.index(0), channels, {rows.splat(0.0f)},
                                      [&](Value column, Value mask, ValueRange sum) -> SmallVector<Value> {
                                        Value x = present(rows.at(input, {token, column, mask}), mask);
                                        Value square = arith::MulFOp::create(builder, loc, x, x);
                                        return {arith::AddFOp::create(builder, loc, sum[0], square)};
                                      });
    Value sum = vector::ReductionOp::create(builder, loc, vector::CombiningKind::ADD, squares[0],
                                            arith::FastMathFlags::reassoc);
    Value mean = arith::DivFOp::create(builder, loc, sum, f32(static_cast<float>(channels)));
    Value shifted = arith::AddFOp::create(builder, loc, mean, f32(norm.getEpsilon().convertToFloat()));
    Value factor = arith::DivFOp::create(builder, loc, f32(1.0f), math::SqrtOp::create(builder, loc, shifted));
    Value factors = rows.splat(factor);
    Value scale = norm.getScale() ? rows.elements(norm.getScale()) : Value();
    rows.define(norm.getResult(), [=, this](const Place &place) -> Value {
      Value x = arith::MulFOp::create(builder, loc, rows.at(input, place), factors);
      if (!scale)
        return x;
      return arith::MulFOp::create(builder, loc, x, rows.load(scale, {place.column}, place.mask));
    });
  }

  void write(Value value, Value token, Value out) {
    const int64_t channels = cast<ShapedType>(value.getType()).getDimSize(1);
    rows.forEachVector(rows.index(0), channels, [&](Value column, Value mask) {
      rows.store(rows.at(value, {token, column, mask}), out, {token, column}, mask);
    });
  }

  /// Activations rounded to bf16, and 0 in the padding.
  void round(QuantizeActivationOp op, Value token, Value out) {
    const int64_t channels = op.getType().getShape()[1];
    rows.forEachVector(rows.index(0), kernel::paddedBlock(channels), [&](Value column, Value mask) {
      Value inside = insideBlock(column, channels);
      Value x = present(rows.at(op.getInput(), {token, column, inside}), inside);
      rows.store(roundToBf16(builder, loc, x), out, {token, column}, mask);
    });
  }

  /// The activation contract (lowbit.quantize_activation), block by block.
  void quantize(QuantizeActivationOp op, Value token, OperandRange::iterator outs) {
    const formats::Format &format = op.getType().getFormat().getValue();
    const int64_t channels = op.getType().getShape()[1];
    const int64_t blocks = format.blockCount(channels);
    const int64_t length = format.blockLength(channels, 0);
    const int64_t whole = format.blockLength(channels, blocks - 1) == length ? blocks : blocks - 1;
    auto loop = scf::ForOp::create(builder, loc, rows.index(0), rows.index(whole), rows.index(1));
    {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(loop.getBody());
      quantizeBlock(op, token, loop.getInductionVar(), length, length, outs);
    }
    if (whole < blocks)
      quantizeBlock(op, token, rows.index(whole), length, format.blockLength(channels, whole), outs);
  }

  /// Block number `block` of `length` channels, where a whole block has `whole`.
  void quantizeBlock(QuantizeActivationOp op, Value token, Value block, int64_t whole, int64_t length,
                     OperandRange::iterator outs) {
    Value codes = outs[0], scales = outs[1], sums = outs[2], input = op.getInput();
    Value first = arith::MulIOp::create(builder, loc, block, rows.index(whole));
    auto largest = rows.forEachVector(first, length, {rows.splat(0.0f)},
                                      [&](Value column, Value mask, ValueRange best) -> SmallVector<Value> {
                                        Value x = present(rows.at(input, {token, column, mask}), mask);
                                        Value magnitude = math::AbsFOp::create(builder, loc, x);
                                        return {arith::MaximumFOp::create(builder, loc, best[0], magnitude)};
                                      });
    Value absmax = vector::ReductionOp::create(builder, loc, vector::CombiningKind::MAXIMUMF, largest[0]);
    Value scale = arith::DivFOp::create(builder, loc, absmax, f32(127.0f));
    memref::StoreOp::create(builder, loc, scale, scales, ValueRange{token, block});

    Value start = arith::MulIOp::create(builder, loc, block, rows.index(kernel::paddedBlock(whole)));
    VectorType i32 = rows.vectorOf(builder.getI32Type()), i8 = rows.vectorOf(builder.getI8Type());
    Value none = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(i32));
    // The codes' buffer may have other offsets than the channels: blocks are padded there.
    auto total =
        rows.forEachVector(rows.index(0), kernel::paddedBlock(length), {none},
                           [&](Value offset, Value mask, ValueRange sum) -> SmallVector<Value> {
                             Value column = arith::AddIOp::create(builder, loc, first, offset);
                             Value inside = insideBlock(offset, length);
                             Value x = present(rows.at(input, {token, column, inside}), inside);
                             Value code = roundToCodes(builder, loc, x, scale, 127.0f);
                             Value to = arith::AddIOp::create(builder, loc, start, offset);
                             rows.store(arith::TruncIOp::create(builder, loc, i8, code), codes, {token, to}, mask);
                             return {arith::AddIOp::create(builder, loc, sum[0], code)};
                           });
    Value sum = vector::ReductionOp::create(builder, loc, vector::CombiningKind::ADD, total[0]);
    memref::StoreOp::create(builder, loc, sum, sums, ValueRange{token, block});
  }

  /// `x` in the lanes that exist and 0 elsewhere: loads give 0 there, but what was computed from it may be anything.
  Value present(Value x, Value mask) {
    return mask ? arith::SelectOp::create(builder, loc, mask, x, rows.splat(0.0f)).getResult() : x;
  }

  /// The lanes from `offset` on that lie within `length`, or no mask when all do wherever the offset is.
  Value insideBlock(Value offset, int64_t length) {
    if (length % lanes == 0)
      return {};
    Value left = arith::SubIOp::create(builder, loc, rows.index(length), offset);
    return vector::CreateMaskOp::create(builder, loc, rows.vectorOf(builder.getI1Type()), left).getResult();
  }

  KernelOp kernel;
  OpBuilder &builder;
  Location loc;
  int64_t lanes;
  RowBuilder rows;
};

class LowerRowsPass : public halftone::impl::LowerRowsBase<LowerRowsPass> {
public:
  void runOnOperation() override {
    auto isOfRows = [](Operation *core) {
      return isa<RmsNormOp, QuantizeActivationOp>(core) || core->hasTrait<OpTrait::Elementwise>();
    };
    if (failed(lowerKernels(getOperation(), isOfRows,
                            [](KernelOp kernel, OpBuilder &builder) { RowsLowering(kernel, builder).run(); })))
      signalPassFailure();
  }
};

} // namespace
