// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Handles become offsets, and functions take the memory and the team they work with as arguments.
#include "dialects/lowbit/Facts.h"
#include "passes/lower/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMTypes.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

namespace halftone {
#define GEN_PASS_DEF_BINDMEMORY
#include "passes/lower/Passes.h.inc"
} // namespace halftone

namespace {

/// The arguments that every function gets, in order; the number of tokens only functions that may be called with fewer
/// than their types say.
struct Context {
  Value weights, cache, team, thread, threads, tokens;
};

/// Rewrites one function.
class Binder {
public:
  Binder(func::FuncOp function, const DenseMap<StringAttr, int64_t> &offsets, int64_t cacheStride)
      : function(function), offsets(offsets), cacheStride(cacheStride), builder(function.getContext()) {}

  void run() {
    addContext();
    for (Value argument : function.getBody().front().getArguments())
      if (isa<WeightType, CacheType>(argument.getType()))
        argument.setType(builder.getIndexType());
    function.walk([&](Operation *op) {
      builder.setInsertionPoint(op);
      if (auto get = dyn_cast<GetOp>(op))
        replace(op, constant(offsets.lookup(get.getNameAttr().getAttr())));
      else if (auto memory = dyn_cast<kernel::MemoryOp>(op))
        bind(memory);
      else if (auto keys = dyn_cast<kernel::KeysOp>(op))
        replace(op, cacheView(keys.getCache(), 0, keys.getKeys().getType()));
      else if (auto values = dyn_cast<kernel::ValuesOp>(op))
        bind(values);
      else if (isa<kernel::ThreadOp>(op))
        replace(op, context.thread);
      else if (isa<kernel::ThreadsOp>(op))
        replace(op, context.threads);
      else if (isa<kernel::TokensOp>(op))
        replace(op, context.tokens);
      else if (auto barrier = dyn_cast<kernel::BarrierOp>(op))
        wait(barrier);
      else if (auto call = dyn_cast<func::CallOp>(op))
        handOn(call);
    });
    function.setType(FunctionType::get(function.getContext(), function.getBody().front().getArgumentTypes(), {}));
  }

private:
  void addContext() {
    Block &body = function.getBody().front();
    MLIRContext *mlir = function.getContext();
    Type types[] = {kernel::byteMemory(mlir), kernel::byteMemory(mlir), LLVM::LLVMPointerType::get(mlir),
                    builder.getIndexType(), builder.getIndexType()};
    for (auto [i, type] : llvm::enumerate(types))
      body.insertArgument(static_cast<unsigned>(i), type, function.getLoc());
    context = {body.getArgument(0), body.getArgument(1), body.getArgument(2),
               body.getArgument(3), body.getArgument(4), Value()};
    if (function->hasAttr(kernel::tokenStepAttrName))
      context.tokens = body.insertArgument(5u, builder.getIndexType(), function.getLoc());
  }

  /// Who may be called with fewer tokens calls only its own kind (specialize-phases).
  void handOn(func::CallOp call) {
    SmallVector<Value> values = {context.weights, context.cache, context.team, context.thread, context.threads};
    if (context.tokens)
      values.push_back(context.tokens);
    call->insertOperands(0, values);
  }

  /// A window of the weight segment.
  void bind(kernel::MemoryOp op) {
    Value base = context.weights, offset = op.getHandle();
    if (op.getMemory().getType().getElementType().isF32()) {
      base = floats(base, op.getLoc());
      offset = arith::DivUIOp::create(builder, op.getLoc(), offset, constant(sizeof(float)));
    }
    auto type = cast<MemRefType>(op.getMemory().getType());
    OpFoldResult size = builder.getIndexAttr(cast<MemRefType>(base.getType()).getDimSize(0));
    replace(op, reinterpret(base, offset, {size}, {builder.getIndexAttr(1)}, type));
  }

  void bind(kernel::ValuesOp op) {
    auto type = cast<MemRefType>(op.getValues().getType());
    const int64_t keys = type.getDimSize(1) * type.getDimSize(2) * type.getDimSize(3);
    replace(op, cacheView(op.getCache(), keys, type));
  }

  /// A window of the cache, `skip` floats after where the handle points.
  Value cacheView(Value handle, int64_t skip, Type memory) {
    auto type = cast<MemRefType>(memory);
    Value base = floats(context.cache, handle.getLoc());
    Value offset = arith::AddIOp::create(builder, handle.getLoc(), handle, constant(skip));
    ArrayRef<int64_t> shape = type.getShape();
    const int64_t tiles = cast<MemRefType>(base.getType()).getDimSize(0) / cacheStride;
    SmallVector<OpFoldResult> sizes, strides;
    for (int64_t size : {tiles, shape[1], shape[2], shape[3]})
      sizes.push_back(builder.getIndexAttr(size));
    for (int64_t stride : {cacheStride, shape[2] * shape[3], shape[3], int64_t(1)})
      strides.push_back(builder.getIndexAttr(stride));
    return reinterpret(base, offset, sizes, strides, type);
  }

  /// A window with static sizes and strides, as the type with open ones that its users know.
  Value reinterpret(Value base, Value offset, ArrayRef<OpFoldResult> sizes, ArrayRef<OpFoldResult> strides,
                    MemRefType type) {
    SmallVector<int64_t> shape, steps;
    for (OpFoldResult size : sizes)
      shape.push_back(*getConstantIntValue(size));
    for (OpFoldResult stride : strides)
      steps.push_back(*getConstantIntValue(stride));
    auto layout = StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, steps);
    auto known = MemRefType::get(shape, type.getElementType(), layout);
    Value window =
        memref::ReinterpretCastOp::create(builder, base.getLoc(), known, base, OpFoldResult(offset), sizes, strides);
    return memref::CastOp::create(builder, base.getLoc(), type, window);
  }

  Value floats(Value bytes, Location loc) {
    return memref::ViewOp::create(builder, loc, kernel::floatMemory(function.getContext()), bytes, constant(0),
                                  ValueRange());
  }

  void wait(kernel::BarrierOp barrier) {
    Value site = constant(static_cast<int64_t>(barrier.getSite().value_or(-1)));
    func::CallOp::create(builder, barrier->getLoc(), "halftone_barrier", TypeRange(),
                         ValueRange{context.team, context.threads, site});
    barrier->erase();
  }

  void replace(Operation *op, Value value) {
    op->getResult(0).replaceAllUsesWith(value);
    op->erase();
  }

  Value constant(int64_t value) { return arith::ConstantIndexOp::create(builder, function.getLoc(), value); }

  func::FuncOp function;
  const DenseMap<StringAttr, int64_t> &offsets;
  int64_t cacheStride;
  OpBuilder builder;
  Context context;
};

class BindMemoryPass : public halftone::impl::BindMemoryBase<BindMemoryPass> {
public:
  void runOnOperation() override {
    ModuleOp module = getOperation();
    DenseMap<StringAttr, int64_t> offsets;
    for (WeightOp weight : module.getOps<WeightOp>())
      offsets[weight.getSymNameAttr()] = weight.getOffset();
    // A step of the cache holds, for each layer in order, keys and values of some positions.
    int64_t stride = 0;
    for (CacheOp cache : module.getOps<CacheOp>()) {
      offsets[cache.getSymNameAttr()] = stride;
      auto type = cast<CacheType>(cache.getType());
      stride += 2 * type.getHeads() * type.getSize() * kernel::cachePositions;
    }
    facts::record(module, facts::cachePositions, kernel::cachePositions);
    facts::record(module, facts::cacheBytes, stride * static_cast<int64_t>(sizeof(float)));

    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isExternal())
        Binder(function, offsets, std::max<int64_t>(stride, 1)).run();
    for (Operation &op : llvm::make_early_inc_range(module.getBody()->getOperations()))
      if (isa<WeightOp, CacheOp>(op))
        op.erase();
    declareBarrier();
  }

private:
  void declareBarrier() {
    OpBuilder builder = OpBuilder::atBlockBegin(getOperation().getBody());
    Type index = builder.getIndexType();
    auto type = builder.getFunctionType({LLVM::LLVMPointerType::get(&getContext()), index, index}, {});
    func::FuncOp::create(builder, getOperation().getLoc(), "halftone_barrier", type).setPrivate();
  }
};

} // namespace
