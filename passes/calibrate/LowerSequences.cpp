// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions on tokens as plain functions of whole sequences.
#include "passes/calibrate/Passes.h"
#include "passes/calibrate/SequenceContract.h"
#include "passes/calibrate/SequenceHeads.h"
#include "passes/function/TensorBuilder.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;
using function::TensorBuilder;

namespace halftone {
#define GEN_PASS_DEF_LOWERSEQUENCES
#include "passes/calibrate/Passes.h.inc"

namespace {

/// What a value becomes: tokens counted, weights as f32; null for a cache and a position, which a whole sequence lacks.
Type lowered(Type type, int64_t tokens) {
  if (auto weight = dyn_cast<WeightType>(type))
    return RankedTensorType::get(weight.getShape(), Float32Type::get(type.getContext()));
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return {};
  SmallVector<int64_t> shape(tensor.getShape());
  if (!shape.empty() && shape.front() == ShapedType::kDynamic)
    shape.front() = tokens;
  return tensor.clone(shape);
}

/// Builds the new body of one function, operation by operation.
class SequenceLowering {
public:
  SequenceLowering(func::FuncOp source, int64_t tokens) : source(source), tokens(tokens), builder(source) {}

  LogicalResult run() {
    func::FuncOp target = declare();
    builder.setInsertionPointToEnd(&target.getBody().front());
    for (Operation &op : source.getBody().front())
      if (failed(lower(&op)))
        return failure();
    source.erase();
    return success();
  }

private:
  /// The function with its new arguments. A position is that of the first token.
  func::FuncOp declare() {
    auto all = [&](TypeRange types) {
      SmallVector<Type> result;
      for (Type type : types)
        if (Type becomes = lowered(type, tokens))
          result.push_back(becomes);
      return result;
    };
    auto type = builder.getFunctionType(all(source.getArgumentTypes()), all(source.getResultTypes()));
    auto target = func::FuncOp::create(builder, source.getLoc(), source.getName(), type);
    target.setVisibility(source.getVisibility());
    builder.setInsertionPointToStart(target.addEntryBlock());
    auto next = target.getArguments().begin();
    for (BlockArgument argument : source.getArguments())
      if (lowered(argument.getType(), tokens))
        values.map(argument, *next++);
      else if (argument.getType().isIndex())
        values.map(argument, arith::ConstantIndexOp::create(builder, source.getLoc(), 0).getResult());
    return target;
  }

  Value of(Value value) { return values.lookup(value); }

  LogicalResult lower(Operation *op) {
    TensorBuilder b(builder, op->getLoc());
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case([&](EmbeddingOp embedding) { return replace(op, lookUp(b, embedding)); })
        .Case([&](LinearOp linear) {
          return replace(op, b.product(of(linear.getInput()), of(linear.getWeight()), /*turned=*/true));
        })
        .Case([&](RmsNormOp norm) {
          Value gain = norm.getScale() ? of(norm.getScale()) : Value();
          const double epsilon = norm.getEpsilon().convertToDouble();
          return replace(op, b.normalize(of(norm.getInput()), {1}, epsilon, /*centred=*/false, gain, {}));
        })
        .Case([&](AddBiasOp sum) { return replace(op, b.add(of(sum.getInput()), of(sum.getBias()))); })
        .Case([&](RopeOp rope) {
          return replace(op, calibrate::rotate(b, rope, of(rope.getInput()), of(rope.getCos()), of(rope.getSin())));
        })
        .Case([&](AppendOp append) {
          appended[append.getCache()] = {stored(b, append, append.getKeys()), stored(b, append, append.getValues())};
          return success();
        })
        .Case([&](AttentionOp attention) { return lower(b, attention); })
        .Case([&](QuantizeActivationOp op) {
          const formats::Format format = op.getResult().getType().getFormat().getValue();
          return replace(op, calibrate::contracted(b, of(op.getInput()), format));
        })
        .Case([&](ObserveOp) { return success(); })
        .Default([&](Operation *other) { return copy(other); });
  }

  LogicalResult replace(Operation *op, Value value) {
    values.map(op->getResult(0), value);
    return success();
  }

  Value lookUp(TensorBuilder &b, EmbeddingOp embedding) {
    Value ids = of(embedding.getTokens()), table = of(embedding.getTable());
    const int64_t shape[] = {tokens, cast<ShapedType>(table.getType()).getDimSize(1)};
    return b.generate(b.builder.getF32Type(), shape, [&](TensorBuilder &element, ValueRange at) {
      Value row = element.make<arith::IndexCastOp>(element.builder.getIndexType(), element.read(ids, at[0]));
      return element.read(table, {row, at[1]});
    });
  }

  /// Keys or values as the cache gives them back: what it stores codes of are heads.
  Value stored(TensorBuilder &b, AppendOp append, Value tokens) {
    return calibrate::contracted(b, of(tokens), append.getCache().getType().getStored());
  }

  LogicalResult lower(TensorBuilder &b, AttentionOp attention) {
    auto found = appended.find(attention.getCache());
    if (found == appended.end())
      return attention.emitOpError("reads a cache that this function did not append to");
    return replace(attention, calibrate::attend(b, attention, of(attention.getQueries()), found->second.keys,
                                                found->second.values));
  }

  /// An operation of another dialect, for the new number of tokens.
  LogicalResult copy(Operation *op) {
    if (isa_and_nonnull<LowbitDialect>(op->getDialect()) || isa<func::CallOp>(op))
      return op->emitOpError("cannot be computed for a whole sequence");
    Operation *clone = builder.clone(*op, values);
    for (Value result : clone->getResults())
      if (Type type = lowered(result.getType(), tokens))
        result.setType(type);
    if (auto splat = dyn_cast<tensor::SplatOp>(clone); splat && splat.getType().hasStaticShape())
      splat.getDynamicSizesMutable().clear();
    return success();
  }

  struct KeysAndValues {
    Value keys, values;
  };

  func::FuncOp source;
  int64_t tokens;
  OpBuilder builder;
  IRMapping values;
  DenseMap<Value, KeysAndValues> appended;
};

class LowerSequencesPass : public impl::LowerSequencesBase<LowerSequencesPass> {
public:
  using LowerSequencesBase::LowerSequencesBase;

  void runOnOperation() override {
    if (length < 1) {
      getOperation().emitError("a sequence has at least one token, not ") << length.getValue();
      return signalPassFailure();
    }
    for (auto function : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      if (!function.isExternal() && failed(SequenceLowering(function, length).run()))
        return signalPassFailure();
  }
};

} // namespace
} // namespace halftone
