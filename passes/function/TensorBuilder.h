// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What operators are made of: maps over elements, sums, products and moves of tensors of known shapes, as linalg and
// tensor operations. A result without elements computes nothing.
#pragma once

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Builders.h"

namespace halftone::function {

/// The shape of a tensor; all of them are known here.
llvm::ArrayRef<int64_t> shapeOf(mlir::Value tensor);
mlir::Type elementOf(mlir::Value tensor);
int64_t rankOf(mlir::Value tensor);

inline bool isEmpty(llvm::ArrayRef<int64_t> shape) { return llvm::is_contained(shape, 0); }

/// Which element of a tensor of `shape` stands at the loops of a result of `target`, to which it broadcasts.
mlir::AffineMap broadcastMap(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> target, mlir::MLIRContext *context);

/// Sums may be made in any order that vectors want: the order is fixed once the code is.
inline constexpr mlir::arith::FastMathFlags anyOrder =
    mlir::arith::FastMathFlags::reassoc | mlir::arith::FastMathFlags::contract;

/// The type that sums of `element` are computed in: f32 for the halves.
mlir::Type widened(mlir::Type element);

class TensorBuilder {
public:
  /// Computes one element; `operands` are one element of each input, and f32 where the tensor holds halves.
  using Body = llvm::function_ref<mlir::Value(TensorBuilder &, mlir::ValueRange operands)>;

  TensorBuilder(mlir::OpBuilder &builder, mlir::Location loc) : builder(builder), loc(loc) {}

  //===-- Scalars -------------------------------------------------------------------------------------------------===//

  mlir::Value number(mlir::Type type, double value);
  mlir::Value index(int64_t value);
  /// Which of `size` elements an index means: one below zero counts from the end, and one outside, which is an error
  /// once the graph has run (Conversion::expectIndices) but may not read elsewhere, is the nearest inside.
  mlir::Value place(mlir::Value index, int64_t size);
  /// Converts between number types, booleans included [ONNX, "Cast"].
  mlir::Value convert(mlir::Value scalar, mlir::Type type, bool fromUnsigned = false, bool toUnsigned = false);
  template <class Op, class... Arguments> mlir::Value make(Arguments &&...arguments) {
    return Op::create(builder, loc, std::forward<Arguments>(arguments)...);
  }

  //===-- Tensors -------------------------------------------------------------------------------------------------===//

  /// Why what was built must not be computed: sizes or types that do not fit, which a node may have and the functions
  /// below then take as if they did; or a tensor of more bytes than this machine has memory. Empty when nothing is
  /// wrong.
  llvm::StringRef fault() const { return firstFault; }

  /// A place for a tensor.
  mlir::Value empty(mlir::Type element, llvm::ArrayRef<int64_t> shape);
  /// All elements the same: a number, or a scalar.
  mlir::Value filled(mlir::Type element, llvm::ArrayRef<int64_t> shape, double value);
  mlir::Value filled(mlir::Value scalar, llvm::ArrayRef<int64_t> shape);

  /// Applies `body` to the elements of `inputs`, which broadcast to one shape [ONNX, "Broadcasting in ONNX"]. `element`
  /// is the result's type; a body may give f32 for halves.
  mlir::Value map(mlir::ValueRange inputs, mlir::Type element, Body body);
  /// The same with the element's coordinates, as indices, instead of inputs; tensors are read by `read`.
  mlir::Value generate(mlir::Type element, llvm::ArrayRef<int64_t> shape, Body body);
  /// An element in the body of map or generate.
  mlir::Value read(mlir::Value tensor, mlir::ValueRange coordinates);

  mlir::Value cast(mlir::Value tensor, mlir::Type element, bool fromUnsigned = false, bool toUnsigned = false);

  /// Folds the elements along `axes` with `step(total, element)`, starting with `start`. The axes stay, with size 1.
  mlir::Value reduce(mlir::Value tensor, llvm::ArrayRef<int64_t> axes, double start, Body step);
  /// sum over the loops that `result` does not name of a[mapA] * b[mapB]. Loops stand in the order in which they run;
  /// `sizes` are theirs.
  mlir::Value contract(mlir::Value a, mlir::AffineMap mapA, mlir::Value b, mlir::AffineMap mapB, mlir::AffineMap result,
                       llvm::ArrayRef<int64_t> sizes, llvm::ArrayRef<int64_t> shape, mlir::Type element);
  /// The product of the last two dimensions, the others broadcasting. `turned`: of b's last two turned round.
  mlir::Value product(mlir::Value a, mlir::Value b, bool turned = false);
  /// Like `reduce`, over windows: loops are the result's dimensions and then those of `window`; `source` says which
  /// element of the tensor each sees.
  mlir::Value reduceWindows(mlir::Value tensor, mlir::AffineMap source, llvm::ArrayRef<int64_t> shape,
                            llvm::ArrayRef<int64_t> window, double start, Body step);

  mlir::Value reshape(mlir::Value tensor, llvm::ArrayRef<int64_t> shape);
  mlir::Value transpose(mlir::Value tensor, llvm::ArrayRef<int64_t> order);
  mlir::Value expand(mlir::Value tensor, llvm::ArrayRef<int64_t> shape);
  /// Elements start, start + step, ... along each dimension; steps may be negative.
  mlir::Value slice(mlir::Value tensor, llvm::ArrayRef<int64_t> starts, llvm::ArrayRef<int64_t> sizes,
                    llvm::ArrayRef<int64_t> steps);
  /// `count` elements from `start` along one axis.
  mlir::Value part(mlir::Value tensor, int64_t axis, int64_t start, int64_t count);
  mlir::Value concat(mlir::ValueRange tensors, int64_t axis);
  /// Puts `before` and `after` elements, which are a number or a scalar, around each dimension.
  mlir::Value pad(mlir::Value tensor, llvm::ArrayRef<int64_t> before, llvm::ArrayRef<int64_t> after, double value);
  mlir::Value pad(mlir::Value tensor, llvm::ArrayRef<int64_t> before, llvm::ArrayRef<int64_t> after, mlir::Value value);

  //===-- Elementwise, by name ------------------------------------------------------------------------------------===//

  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value subtract(mlir::Value a, mlir::Value b);
  mlir::Value multiply(mlir::Value a, mlir::Value b);
  mlir::Value divide(mlir::Value a, mlir::Value b);
  /// a * factor.
  mlir::Value scale(mlir::Value a, double factor);
  mlir::Value sum(mlir::Value tensor, llvm::ArrayRef<int64_t> axes);
  mlir::Value mean(mlir::Value tensor, llvm::ArrayRef<int64_t> axes);
  mlir::Value softmax(mlir::Value tensor, int64_t axis);
  /// (x - mean) / sqrt(variance + epsilon) * gain + bias over `axes`; without `centred` x / sqrt(mean of squares).
  mlir::Value normalize(mlir::Value x, llvm::ArrayRef<int64_t> axes, double epsilon, bool centred, mlir::Value gain,
                        mlir::Value bias);

  mlir::OpBuilder &builder;
  const mlir::Location loc;

private:
  mlir::Value linear(mlir::Value tensor);
  /// Whether `holds`; else `reason` is the fault.
  bool require(bool holds, llvm::StringRef reason);
  bool requireFit(bool holds);
  bool requireSameType(mlir::ValueRange tensors);

  llvm::StringRef firstFault; // of a literal
};

} // namespace halftone::function
