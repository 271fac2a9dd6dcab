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
    findParts();
    for (Value argument : function.getBody().front().getArguments())
      if (isa<WeightType, CacheType>(argument.getType()))
        argument.setType(builder.getIndexType());
    function.walk([&](Operation *op) {
      builder.setInsertionPoint(op);
      if (auto get = dyn_cast<GetOp>(op))
        replace(op, constant(offsets.lookup(get.getNameAttr().getAttr())));
      else if (auto memory = dyn_cast<kernel::MemoryOp>(op))
        bind(memory);
      else if (auto part = parts.find(op); part != parts.end())
        replace(op, cacheView(op->getOperand(0), part->second, cast<MemRefType>(op->getResult(0).getType())));
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

  /// Where the parts of caches begin in their tile, which handles tell only by their type.
  void findParts() {
    function.walk([&](Operation *op) {
      if (auto keys = dyn_cast<kernel::KeysOp>(op))
        parts[op] = 0;
      else if (auto values = dyn_cast<kernel::ValuesOp>(op))
        parts[op] = kernel::CacheTile(values.getCache().getType()).values;
      else if (auto scales = dyn_cast<kernel::KeyScalesOp>(op))
        parts[op] = kernel::CacheTile(scales.getCache().getType()).keyScales;
      else if (auto scales = dyn_cast<kernel::ValueScalesOp>(op))
        parts[op] = kernel::CacheTile(scales.getCache().getType()).valueScales;
    });
  }

  /// A window of the weight segment.
  void bind(kernel::MemoryOp op) {
    auto type = cast<MemRefType>(op.getMemory().getType());
    auto [base, offset] = elements(context.weights, op.getHandle(), type.getElementType());
    OpFoldResult size = builder.getIndexAttr(cast<MemRefType>(base.getType()).getDimSize(0));
    replace(op, reinterpret(base, offset, {size}, {builder.getIndexAttr(1)}, type));
  }

  /// A window of the cache, `skip` bytes after where the handle points.
  Value cacheView(Value handle, int64_t skip, MemRefType type) {
    Value begin = arith::AddIOp::create(builder, handle.getLoc(), handle, constant(skip));
    auto [base, offset] = elements(context.cache, begin, type.getElementType());
    ArrayRef<int64_t> shape = type.getShape();
    const int64_t stride = cacheStride / bytesOf(type.getElementType());
    const int64_t tiles = cast<MemRefType>(base.getType()).getDimSize(0) / stride;
    SmallVector<OpFoldResult> sizes, strides;
    for (int64_t size : {tiles, shape[1], shape[2], shape[3]})
      sizes.push_back(builder.getIndexAttr(size));
    for (int64_t step : {stride, shape[2] * shape[3], shape[3], int64_t(1)})
      strides.push_back(builder.getIndexAttr(step));
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

  static int64_t bytesOf(Type element) { return element.getIntOrFloatBitWidth() / 8; }

  /// `bytes` as elements of one type, and the offset of `begin` in them.
  std::pair<Value, Value> elements(Value bytes, Value begin, Type element) {
    if (bytesOf(element) == 1)
      return {bytes, begin};
    Value view =
        memref::ViewOp::create(builder, begin.getLoc(), kernel::memoryOf(element), bytes, constant(0), ValueRange());
    return {view, arith::DivUIOp::create(builder, begin.getLoc(), begin, constant(bytesOf(element)))};
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
  int64_t cacheStride; ///< bytes of all tiles of some positions
  DenseMap<Operation *, int64_t> parts;
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
    // A step of the cache holds the tiles of some positions, layer after layer.
    int64_t stride = 0;
    for (CacheOp cache : module.getOps<CacheOp>()) {
      offsets[cache.getSymNameAttr()] = stride;
      stride += kernel::CacheTile(cast<CacheType>(cache.getType())).bytes;
    }
    facts::record(module, facts::cachePositions, kernel::cachePositions);
    facts::record(module, facts::cacheBytes, stride);

    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isExternal())
        Binder(function, offsets, std::max<int64_t>(stride, sizeof(float))).run();
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
