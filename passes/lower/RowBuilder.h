// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Builds loops over a row of channels in vectors, and the vectors of a kernel's values within them.
#pragma once

#include "dialects/kernel/Kernel.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"

#include <functional>
#include <tuple>

namespace halftone {

/// Where a vector of a value stands: row, first column, and the lanes that exist (no mask: all).
struct Place {
  mlir::Value row;
  mlir::Value column;
  mlir::Value mask;
};

/// Emits vector code for the values of one kernel. A value is what the kernel's operations say it is: nothing is
/// stored between elementwise operations.
class RowBuilder {
public:
  using Emit = std::function<mlir::Value(const Place &)>;

  RowBuilder(mlir::OpBuilder &builder, mlir::Location loc, int64_t lanes) : builder(builder), loc(loc), lanes(lanes) {}

  mlir::VectorType vectorOf(mlir::Type element) const { return mlir::VectorType::get({lanes}, element); }
  mlir::Value index(int64_t value);
  mlir::Value splat(mlir::Value scalar);
  mlir::Value splat(float value);

  /// a * b + c, rounded once where the target has a fused operation.
  mlir::Value multiplyAdd(mlir::Value a, mlir::Value b, mlir::Value c);

  /// `memory[place]` as a vector; lanes that do not exist read 0. The last index is the column.
  mlir::Value load(mlir::Value memory, mlir::ValueRange indices, mlir::Value mask);
  void store(mlir::Value vector, mlir::Value memory, mlir::ValueRange indices, mlir::Value mask);
  /// The memory of a plain weight's elements.
  mlir::Value elements(mlir::Value handle);

  /// Says how the vectors of `tensor` come about: for results of operations that are not elementwise.
  void define(mlir::Value tensor, Emit emit) { defined[tensor] = std::move(emit); }
  /// The vector of `tensor` at `place`. What several operations read is emitted once in a loop's body, so memory that
  /// the values come from must not change within it.
  mlir::Value at(mlir::Value tensor, const Place &place);

  /// Runs `body` over `count` columns from `first` on, carrying `values`; gives what the last run gave.
  using Body = llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value column, mlir::Value mask,
                                                                 mlir::ValueRange carried)>;
  llvm::SmallVector<mlir::Value> forEachVector(mlir::Value first, int64_t count, mlir::ValueRange values, Body body);
  void forEachVector(mlir::Value first, int64_t count,
                     llvm::function_ref<void(mlir::Value column, mlir::Value mask)> body);

  /// Lanes from 0 to `count` - 1, or no mask when `count` is known to fill the vector.
  mlir::Value maskFor(int64_t count);

private:
  mlir::Value emit(mlir::Value tensor, const Place &place);

  mlir::OpBuilder &builder;
  mlir::Location loc;
  int64_t lanes;
  llvm::DenseMap<mlir::Value, Emit> defined;
  /// By the body of a loop, the tensor, and the place's row, column and mask.
  llvm::DenseMap<std::tuple<mlir::Block *, mlir::Value, mlir::Value, mlir::Value, mlir::Value>, mlir::Value> emitted;
};

/// A parallel loop over `count` iterations; `body` is called with the index, the builder inside the loop.
void parallelLoop(mlir::OpBuilder &builder, mlir::Location loc, mlir::OpFoldResult count,
                  llvm::function_ref<void(mlir::Value index)> body);

/// How many tokens a call computes where the types say `most`: fewer, maybe, in functions with `halftone.token_step`.
mlir::OpFoldResult tokensOfCall(mlir::OpBuilder &builder, mlir::Location loc, int64_t most);

/// The buffer that a kernel reads `tensor` from.
mlir::Value bufferOf(mlir::Value tensor);

/// The operation that decides which pass lowers the kernel: the first that is not a view of outside memory.
mlir::Operation *coreOf(lowbit::KernelOp kernel);

/// The kernel's schedule.
kernel::ScheduleAttr scheduleOf(lowbit::KernelOp kernel);

/// Whether what the kernel yields has memory, and what it reads from outside is read from memory. Says what is not.
mlir::LogicalResult checkPlaced(lowbit::KernelOp kernel);

/// The same, and whether the earlier passes of the stage have decided what a lowering needs: a schedule, a layout for
/// each decoded weight, and quantized activations for weights with codes. Says at the kernel what is missing.
mlir::LogicalResult checkDecided(lowbit::KernelOp kernel);

/// Lowers each kernel of `function` that `wanted` takes by its core: `lower` emits loops at the builder; a barrier
/// follows. Fails when a decision is missing.
mlir::LogicalResult lowerKernels(mlir::func::FuncOp function, llvm::function_ref<bool(mlir::Operation *core)> wanted,
                                 llvm::function_ref<void(lowbit::KernelOp, mlir::OpBuilder &)> lower);

/// The same for kernels whose core is one of Cores.
template <class... Cores>
mlir::LogicalResult lowerKernels(mlir::func::FuncOp function,
                                 llvm::function_ref<void(lowbit::KernelOp, mlir::OpBuilder &)> lower) {
  return lowerKernels(function, [](mlir::Operation *core) { return llvm::isa<Cores...>(core); }, lower);
}

} // namespace halftone
