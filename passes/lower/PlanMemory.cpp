// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Places the buffers of all functions in one arena.
#include "dialects/lowbit/Facts.h"
#include "passes/Remarks.h"
#include "passes/lower/Passes.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace halftone;

namespace halftone {
#define GEN_PASS_DEF_PLANMEMORY
#include "passes/lower/Passes.h.inc"
} // namespace halftone

namespace {

constexpr int64_t alignment = 64;

/// A buffer, its bytes, and the first and last epoch of the function's body that it lives in. An epoch is what lies
/// between two barriers: within one, a thread may read what another is about to overwrite.
struct Buffer {
  memref::AllocOp alloc;
  int64_t bytes;
  int64_t begin;
  int64_t end;
  int64_t offset = 0;

  bool overlaps(const Buffer &other) const { return begin <= other.end && other.begin <= end; }
};

int64_t bytesOf(MemRefType type) {
  int64_t bytes = type.getNumElements() * formats::divideUp(type.getElementTypeBitWidth(), 8);
  return formats::divideUp(bytes, alignment) * alignment;
}

/// The epoch of each operation of `body`. A call begins and ends in epochs of its own.
DenseMap<Operation *, int64_t> epochs(Block &body) {
  DenseMap<Operation *, int64_t> result;
  int64_t epoch = 0;
  for (Operation &op : body) {
    const bool isCall = isa<func::CallOp>(op);
    result[&op] = epoch += isCall;
    epoch += isCall || isa<kernel::BarrierOp>(op);
  }
  return result;
}

/// The buffers of `function` with their lifetimes.
SmallVector<Buffer> lifetimes(func::FuncOp function) {
  Block &body = function.getBody().front();
  DenseMap<Operation *, int64_t> order = epochs(body);
  SmallVector<Buffer> buffers;
  for (auto alloc : body.getOps<memref::AllocOp>()) {
    // The first write counts, not the allocation: kernels allocate what later ones fill.
    int64_t begin = std::numeric_limits<int64_t>::max(), end = 0;
    for (Operation *user : alloc->getUsers()) {
      int64_t at = order[body.findAncestorOpInBlock(*user)];
      begin = std::min(begin, at);
      end = std::max(end, at);
    }
    buffers.push_back({alloc, bytesOf(alloc.getType()), begin, std::max(begin, end)});
  }
  return buffers;
}

/// Gives each buffer the lowest offset that is free during its life, large buffers first. Returns the bytes used.
int64_t assignOffsets(SmallVectorImpl<Buffer> &buffers) {
  SmallVector<Buffer *> bySize;
  for (Buffer &buffer : buffers)
    bySize.push_back(&buffer);
  llvm::sort(bySize, [](Buffer *a, Buffer *b) { return std::pair(-a->bytes, a) < std::pair(-b->bytes, b); });
  SmallVector<Buffer *> placed; // by offset
  int64_t total = 0;
  for (Buffer *buffer : bySize) {
    for (Buffer *other : placed)
      if (buffer->overlaps(*other) && buffer->offset + buffer->bytes > other->offset)
        buffer->offset = std::max(buffer->offset, other->offset + other->bytes);
    placed.insert(llvm::upper_bound(placed, buffer, [](Buffer *a, Buffer *b) { return a->offset < b->offset; }),
                  buffer);
    total = std::max(total, buffer->offset + buffer->bytes);
  }
  return total;
}

class PlanMemoryPass : public halftone::impl::PlanMemoryBase<PlanMemoryPass> {
public:
  void runOnOperation() override {
    planned.clear();
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (failed(checkCalls(function)))
        return signalPassFailure();
    int64_t arena = 0;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal())
        arena = std::max(arena, plan(function));
    facts::record(getOperation(), facts::arenaBytes, arena);
  }

private:
  func::FuncOp calleeOf(func::CallOp call) { return getOperation().lookupSymbol<func::FuncOp>(call.getCallee()); }

  /// Frames can be planned when every callee has one, and none lies in itself.
  LogicalResult checkCalls(func::FuncOp function) {
    llvm::SetVector<Operation *> reached;
    const auto add = [&](func::CallOp call) -> WalkResult {
      if (calleeOf(call).isExternal())
        return call.emitError("the memory of '") << call.getCallee() << "' cannot be planned: it has no body";
      if (calleeOf(call) == function)
        return call.emitError("the memory of '") << call.getCallee() << "' cannot be planned: it calls itself";
      reached.insert(calleeOf(call));
      return WalkResult::advance();
    };
    WalkResult result = function.walk(add);
    for (size_t i = 0; i < reached.size() && !result.wasInterrupted(); ++i) // grows while it is read
      result = reached[i]->walk(add);
    return failure(result.wasInterrupted());
  }

  /// Bytes of the arena that `function` and what it calls need.
  int64_t plan(func::FuncOp function) {
    if (auto found = planned.find(function); found != planned.end())
      return found->second;
    SmallVector<Buffer> buffers = lifetimes(function);
    const int64_t frame = assignOffsets(buffers);
    Value arena = function.getBody().front().insertArgument(0u, kernel::byteMemory(&getContext()), function.getLoc());
    for (Buffer &buffer : buffers) {
      OpBuilder builder(buffer.alloc);
      buffer.alloc.replaceAllUsesWith(
          view(builder, buffer.alloc.getLoc(), arena, buffer.offset, buffer.alloc.getType()));
      buffer.alloc.erase();
    }
    rewrote(function.getLoc(), "plan-memory")
        << remark::metric("function", function.getName()) << remark::metric("bytes", frame);
    int64_t callees = 0;
    function.walk([&](func::CallOp call) {
      callees = std::max(callees, plan(calleeOf(call)));
      OpBuilder builder(call);
      call->insertOperands(0, view(builder, call.getLoc(), arena, frame, kernel::byteMemory(&getContext())));
    });
    Block &body = function.getBody().front();
    function.setType(FunctionType::get(&getContext(), body.getArgumentTypes(), {}));
    return planned[function] = frame + callees;
  }

  static Value view(OpBuilder &builder, Location loc, Value arena, int64_t offset, MemRefType type) {
    Value at = arith::ConstantIndexOp::create(builder, loc, offset);
    return memref::ViewOp::create(builder, loc, type, arena, at, ValueRange());
  }

  DenseMap<Operation *, int64_t> planned;
};

} // namespace
