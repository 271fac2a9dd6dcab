// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where a factor per channel can move from one weight into another without a change of the function: out of what
// produces a value, into the linears that read it.
#pragma once

#include "dialects/lowbit/Lowbit.h"

namespace halftone::quantize {

/// A weight, and the operand that brings its handle: that of the call of the function that computes with it, or that of
/// the operation itself.
struct FoldedWeight {
  lowbit::WeightOp weight;
  mlir::OpOperand *place = nullptr;
  /// Null unless a linear reads it that a format was decided for.
  lowbit::FormatAttr format;
};

/// The weights around one value, in one call of the function that computes it.
struct ScaleFold {
  int64_t channels = 0;
  /// Of linears: their columns can be multiplied,
  llvm::SmallVector<FoldedWeight, 3> readers;
  /// when rows of these, or elements of vectors, are divided.
  llvm::SmallVector<FoldedWeight, 2> producers;
};

/// The folds around inputs of linears that wait for `method`, in the order in which the model computes them. A value
/// has one when linears alone read it and a norm with a scale, or a linear, gives it: as it is, through a bias, a
/// product with something else, or attention that shares no heads. Each weight must be named, plain, and read by nobody
/// else; where that fails, a remark says why.
llvm::SmallVector<ScaleFold> findScaleFolds(mlir::ModuleOp module, llvm::StringRef method);

} // namespace halftone::quantize
