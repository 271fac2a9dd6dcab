// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How a window slides over the dimensions behind batch and channels: for convolutions of numbers and of codes.
#pragma once

#include "passes/function/Conversion.h"

namespace halftone::function {

/// Per dimension: the window's size, how far it moves, how far apart its elements are, the padding, how often it fits.
struct Window {
  llvm::SmallVector<int64_t> kernel, strides, dilations, before, after, result;
};

/// Reads strides, dilations, pads and auto_pad of a node [ONNX, "Conv", "MaxPool"].
llvm::FailureOr<Window> windowOf(Conversion &c, llvm::ArrayRef<int64_t> input, llvm::ArrayRef<int64_t> kernel);

/// The coordinate that the window's loop `kernelLoop` sees at place `loop` of dimension `i`.
mlir::AffineExpr under(const Window &window, size_t i, unsigned loop, unsigned kernelLoop, mlir::MLIRContext *context);

/// `x` with the window's padding.
mlir::Value padded(TensorBuilder &b, mlir::Value x, const Window &window, double value);

/// The convolution of x [batch, channels, ...] with w [outputs, channels / groups, ...], without a bias.
llvm::FailureOr<mlir::Value> convolve(Conversion &c, mlir::Value x, mlir::Value w);

/// A vector over channels as it broadcasts to a tensor of that rank.
mlir::Value perChannel(TensorBuilder &b, mlir::Value vector, int64_t rank);

} // namespace halftone::function
