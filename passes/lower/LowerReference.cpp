// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The oracle: every operation as the loops that its description states.
#include "passes/lower/Bfloat16.h"
#include "passes/lower/LowerReferenceLoops.h"
#include "passes/lower/Passes.h"
#include "passes/lower/RowBuilder.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_LOWERREFERENCE
#include "passes/lower/Passes.h.inc"
} // namespace halftone

namespace {

/// Lowers the operations of one kernel one after the other. Each has its result in memory before the next begins.
class ReferenceLowering {
public:
  ReferenceLowering(KernelOp kernel, OpBuilder &builder)
      : kernel(kernel), builder(builder), loops(builder, kernel.getLoc()) {}

  LogicalResult run() {
    if (failed(placeYielded()))
      return failure();
    for (Operation &op : kernel.getBody().front().without_terminator()) {
      loops.loc = op.getLoc();
      if (failed(lower(&op)))
        return failure();
    }
    return success();
  }

private:
  using Buffers = SmallVector<Value, 3>;

  /// A yielded value lies in the kernel's outs, three for an activation.
  LogicalResult placeYielded() {
    auto out = kernel.getOuts().begin();
    for (Value value : kernel.getYielded()) {
      const int64_t count = isa<ActivationType>(value.getType()) ? 3 : 1;
      if (!buffers.try_emplace(value, out, out + count).second)
        return kernel.emitError("yields a value twice, which the reference lowering cannot place");
      out += count;
    }
    return success();
  }

  /// A value from outside lies where it is.
  LogicalResult placeRead(Value value, Buffers memory) {
    if (buffers.try_emplace(value, memory).second)
      return success();
    return kernel.emitError("yields a value that it only reads, which the reference lowering cannot place");
  }

  LogicalResult lower(Operation *op) {
    if (auto read = dyn_cast<bufferization::ToTensorOp>(op))
      return placeRead(read.getResult(), {read.getBuffer()});
    if (auto read = dyn_cast<kernel::ActivationOp>(op))
      return placeRead(read.getActivation(), {read.getCodes(), read.getScales(), read.getSums()});
    for (Value result : op->getResults())
      place(result);
    auto memory = [&](Value value) { return bufferOf(value); };
    const LogicalResult result = llvm::TypeSwitch<Operation *, LogicalResult>(op)
                                     .Case<LinearOp, AddBiasOp, RmsNormOp, QuantizeActivationOp, EmbeddingOp>(
                                         [&](auto known) { return emit(known); })
                                     .Case<RopeOp, AppendOp, AttentionOp>(
                                         [&](auto known) { return lowerReference(known, loops, memory), success(); })
                                     .Default([&](Operation *other) {
                                       return other->hasTrait<OpTrait::Elementwise>()
                                                  ? emitElementwise(other)
                                                  : other->emitError("has no reference lowering");
                                     });
    kernel::BarrierOp::create(builder, op->getLoc(), IntegerAttr());
    return result;
  }

  /// Gives a value that stays in the kernel memory of its own.
  void place(Value value) {
    auto [entry, isNew] = buffers.try_emplace(value);
    if (isNew)
      for (MemRefType type : kernel::bufferTypes(value.getType()))
        entry->second.push_back(memref::AllocOp::create(builder, loops.loc, type));
  }

  Value bufferOf(Value value) { return buffers.at(value).front(); }

  static int64_t channelsOf(Value value) { return cast<ShapedType>(value.getType()).getDimSize(1); }

  /// y[t, n] as lowbit.linear states it for its kind of activations.
  LogicalResult emit(LinearOp linear) {
    UnpackedWeight weight(linear.getWeight(), loops);
    Value tokens = loops.tokensOf(linear.getResult());
    loops.parallel(loops.index(channelsOf(linear.getResult())), [&](Value row) {
      loops.each(tokens, [&](Value token) {
        Value sum = weight.hasCodes() ? integerSum(linear, weight, row, token) : floatSum(linear, weight, row, token);
        loops.store(sum, bufferOf(linear.getResult()), {token, row});
      });
    });
    return success();
  }

  Value floatSum(LinearOp linear, UnpackedWeight &weight, Value row, Value token) {
    return loops.fold(loops.index(weight.columns()), loops.number(0), [&](Value column, Value sum) {
      Value x = loops.load(bufferOf(linear.getInput()), {token, column});
      if (x.getType().isInteger(16))
        x = widenBf16(builder, loops.loc, x);
      return loops.add(sum, loops.multiply(x, weight.element(row, column)));
    });
  }

  /// Sum over blocks of f32(dot) * (step of the weight * scale of the activation).
  Value integerSum(LinearOp linear, UnpackedWeight &weight, Value row, Value token) {
    const Buffers &activation = buffers.at(linear.getInput());
    return loops.fold(loops.index(weight.blocks()), loops.number(0), [&](Value block, Value total) {
      Value dot = loops.fold(lengthOf(weight, block), loops.integer(0), [&](Value i, Value sum) {
        Value column = loops.add(loops.multiply(block, loops.index(weight.blockLength())), i);
        Value at = loops.add(loops.multiply(block, loops.index(kernel::paddedBlock(weight.blockLength()))), i);
        Value x = loops.signedByte(loops.load(activation[0], {token, at}));
        return loops.add(sum, loops.multiply(weight.distance(row, column), x));
      });
      Value scale = loops.multiply(weight.step(row, block), loops.load(activation[1], {token, block}));
      return loops.add(total, loops.multiply(loops.toFloat(dot), scale));
    });
  }

  /// Columns of a block: the last one may be short.
  Value lengthOf(UnpackedWeight &weight, Value block) {
    Value begin = loops.multiply(block, loops.index(weight.blockLength()));
    return loops.smaller(loops.index(weight.blockLength()), loops.subtract(loops.index(weight.columns()), begin));
  }

  LogicalResult emit(EmbeddingOp embedding) {
    UnpackedWeight table(embedding.getTable(), loops);
    loops.parallel(loops.tokensOf(embedding.getResult()), [&](Value token) {
      Value id = loops.load(bufferOf(embedding.getTokens()), token);
      Value row = arith::IndexCastOp::create(builder, loops.loc, builder.getIndexType(), id);
      loops.each(loops.index(table.columns()), [&](Value column) {
        loops.store(table.element(row, column), bufferOf(embedding.getResult()), {token, column});
      });
    });
    return success();
  }

  LogicalResult emit(AddBiasOp sum) {
    UnpackedWeight bias(sum.getBias(), loops);
    loops.parallel(loops.tokensOf(sum.getResult()), [&](Value token) {
      loops.each(loops.index(channelsOf(sum.getResult())), [&](Value channel) {
        Value x = loops.load(bufferOf(sum.getInput()), {token, channel});
        loops.store(loops.add(x, bias.element(loops.index(0), channel)), bufferOf(sum.getResult()), {token, channel});
      });
    });
    return success();
  }

  /// x * (1 / sqrt(mean(x^2) + epsilon)) * scale.
  LogicalResult emit(RmsNormOp norm) {
    const int64_t channels = channelsOf(norm.getResult());
    Value input = bufferOf(norm.getInput()), out = bufferOf(norm.getResult());
    std::optional<UnpackedWeight> scale;
    if (norm.getScale())
      scale.emplace(norm.getScale(), loops);
    loops.parallel(loops.tokensOf(norm.getResult()), [&](Value token) {
      Value squares = loops.fold(loops.index(channels), loops.number(0), [&](Value channel, Value sum) {
        Value x = loops.load(input, {token, channel});
        return loops.add(sum, loops.multiply(x, x));
      });
      Value mean = loops.divide(squares, loops.number(static_cast<float>(channels)));
      Value shifted = loops.add(mean, loops.number(norm.getEpsilon().convertToFloat()));
      Value factor = loops.divide(loops.number(1), math::SqrtOp::create(builder, loops.loc, shifted));
      loops.each(loops.index(channels), [&](Value channel) {
        Value y = loops.multiply(loops.load(input, {token, channel}), factor);
        if (scale)
          y = loops.multiply(y, scale->element(loops.index(0), channel));
        loops.store(y, out, {token, channel});
      });
    });
    return success();
  }

  /// The contract of !lowbit.activation, as lib/formats/Activations.cpp has it.
  LogicalResult emit(QuantizeActivationOp quantize) {
    const formats::Format &format = quantize.getType().getFormat().getValue();
    const int64_t channels = channelsOf(quantize.getInput()), length = format.blockLength(channels, 0);
    const Buffers &out = buffers.at(quantize.getResult());
    Value input = bufferOf(quantize.getInput());
    loops.parallel(loops.tokensOf(quantize.getInput()), [&](Value token) {
      if (format.isPlain())
        return loops.each(loops.index(channels), [&](Value channel) {
          loops.store(roundToBf16(builder, loops.loc, loops.load(input, {token, channel})), out[0], {token, channel});
        });
      loops.each(loops.index(format.blockCount(channels)), [&](Value block) {
        Value first = loops.multiply(block, loops.index(length));
        Value count = loops.smaller(loops.index(length), loops.subtract(loops.index(channels), first));
        Value largest = loops.fold(count, loops.number(0), [&](Value i, Value best) -> Value {
          Value x = loops.load(input, {token, loops.add(first, i)});
          return arith::MaximumFOp::create(builder, loops.loc, best, math::AbsFOp::create(builder, loops.loc, x));
        });
        Value scale = loops.divide(largest, loops.number(127));
        Value sum = loops.fold(count, loops.integer(0), [&](Value i, Value total) {
          Value code = loops.balancedCode(loops.load(input, {token, loops.add(first, i)}), scale, 127);
          Value at = loops.add(loops.multiply(block, loops.index(kernel::paddedBlock(length))), i);
          loops.store(arith::TruncIOp::create(builder, loops.loc, builder.getI8Type(), code), out[0], {token, at});
          return loops.add(total, code);
        });
        loops.store(scale, out[1], {token, block});
        loops.store(sum, out[2], {token, block});
      });
    });
    return success();
  }

  /// The same operation on each element.
  LogicalResult emitElementwise(Operation *op) {
    Value result = op->getResult(0);
    loops.parallel(loops.tokensOf(result), [&](Value token) {
      loops.each(loops.index(channelsOf(result)), [&](Value channel) {
        SmallVector<Value> operands;
        for (Value operand : op->getOperands())
          operands.push_back(elementOf(operand, {token, channel}));
        Operation *scalar = builder.create(op->getLoc(), op->getName().getIdentifier(), operands,
                                           {getElementTypeOrSelf(result.getType())}, op->getAttrs());
        loops.store(scalar->getResult(0), bufferOf(result), {token, channel});
      });
    });
    return success();
  }

  Value elementOf(Value operand, ValueRange indices) {
    if (auto splat = operand.getDefiningOp<tensor::SplatOp>())
      return splat.getInput();
    if (auto constant = operand.getDefiningOp<arith::ConstantOp>())
      return arith::ConstantOp::create(builder, loops.loc,
                                       cast<SplatElementsAttr>(constant.getValue()).getSplatValue<TypedAttr>());
    return isa<ShapedType>(operand.getType()) ? loops.load(bufferOf(operand), indices) : operand;
  }

  KernelOp kernel;
  OpBuilder &builder;
  ScalarLoops loops;
  DenseMap<Value, Buffers> buffers;
};

class LowerReferencePass : public halftone::impl::LowerReferenceBase<LowerReferencePass> {
public:
  void runOnOperation() override {
    auto result = getOperation().walk([](KernelOp kernel) -> WalkResult {
      OpBuilder builder(kernel);
      if (failed(checkPlaced(kernel)) || failed(ReferenceLowering(kernel, builder).run()))
        return WalkResult::interrupt();
      kernel.erase();
      return WalkResult::skip();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
