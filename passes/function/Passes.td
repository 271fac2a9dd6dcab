// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes that make a graph a plain function of named tensors: docs/decisions/0008-plain-functions.md.
#ifndef HALFTONE_FUNCTION_PASSES
#define HALFTONE_FUNCTION_PASSES

include "mlir/Pass/PassBase.td"

def ConvertNodes : Pass<"convert-nodes", "::mlir::func::FuncOp"> {
  let summary = "Turn every onnx.node of a function of known shapes into linalg and tensor operations";
  let description = [{
    The arguments' shapes are known, so every other shape follows. Node by node, in order: what can be evaluated
    becomes a constant (shapes, ranges, masks), anything else what its operator's row in the tables of this folder says.
    Nodes without a row are one error that lists them all. Halves are computed in f32. Integers are held
    without a sign and in whole bytes; a value's element type in the graph stands beside it, as the result of a cast.
    Indices that only running the graph gives are checked: behind the function's results comes, for each node that
    reads some, the first that lies outside, or 0.

    Example:
      %0 = onnx.node "Shape" opset 18 (%x) ... : (tensor<2x3xf32>) -> tensor<*xf32>
      %1 = onnx.node "Reshape" opset 18 (%y, %0) ...
    =>
      %1 = tensor.expand_shape %y [[0, 1]] output_shape [2, 3] : tensor<6xf32> into tensor<2x3xf32>
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
}

def FuseElementwise : Pass<"fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "Compute elements where they are read, when they are read once";
  let description = [{
    Upstream's fusion of elementwise operations, where it computes nothing twice: the result has one reader, and that
    reads each element once. Everything after this pass has fewer tensors to look at.

    Example: Neg and Exp of a tensor become one linalg.generic that applies both.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def PassResults : Pass<"pass-results", "::mlir::func::FuncOp"> {
  let summary = "Make tensors that enter and leave a function memory of the caller";
  let description = [{
    Each argument becomes a memref that is only read, each result a memref behind the arguments that is written.
    One-shot bufferization then computes results in place where it can, and never writes to an input. A tensor without
    elements becomes a place that is not touched.

    Example:
      func.func @graph(%x: tensor<2xf32>) -> tensor<2xf32>
    =>
      func.func @graph(%x: memref<2xf32>, %y: memref<2xf32>)
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::memref::MemRefDialect"];
}

def BufferizeFunction : Pass<"bufferize-function", "::mlir::ModuleOp"> {
  let summary = "One-shot bufferization whose copies are linalg operations";
  let description = [{
    Upstream's one-shot-bufferize leaves memref.copy, which for strided memory calls a library that is not linked here.
    This runs the same analysis and rewrite with linalg.generic for a copy.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::memref::MemRefDialect"];
}

def CallProducts : Pass<"call-products", "::mlir::ModuleOp"> {
  let summary = "Leave products of matrices to the machine's library";
  let description = [{
    A linalg operation on memory that adds the product of two f32 matrices, the second perhaps turned, to a third becomes a call of
    `halftone_product` or `halftone_product_turned`: rows, columns, inner size, then for each matrix its address and the
    distance of its rows. Columns must lie side by side. Everything else stays.

    Why not convert-linalg-to-std: its calls go by the operation's name, not by what it computes, and take descriptors.

    Example:
      linalg.generic {a[m, k] * b[n, k] added to c[m, n]} ins(%a, %b) outs(%c)
    =>
      call @halftone_product_turned(%m, %n, %k, %a_address, %a_stride, %b_address, %b_stride, %c_address, %c_stride)
  }];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect"];
}

def OutlineLoops : Pass<"outline-loops", "::mlir::ModuleOp"> {
  let summary = "Move each loop nest into a function, one for equal ones";
  let description = [{
    A model repeats its blocks, and with known shapes the same loops come again and again. Each linalg operation on
    memory moves into a private function of the memory it touches; equal functions are one. Compile time then grows with
    the number of different operations.
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

#endif
