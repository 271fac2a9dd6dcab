// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A tensor as the evaluator sees it: always a shape, and where it is known what the elements are: integers, floats, or
// linear forms over the elements of values that are not known.
#pragma once

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"

#include "llvm/ADT/APInt.h"
#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace halftone::importer {

/// coefficient * root[index]. Where the coefficient is, up to sign, one element of a known tensor, `factor` and
/// `factorIndex` name it (the null value: no such factor; `manyFactors`: a product of several).
struct Term {
  mlir::Value root;
  int64_t index = 0;
  float coefficient = 1;
  mlir::Value factor = {};
  int64_t factorIndex = 0;
  bool manyFactors = false;
};

/// A sum of terms.
using Form = llvm::SmallVector<Term, 1>;

/// Tensors of more elements keep their shape only: no mask or table of a decoder is that large.
inline constexpr int64_t mostElements = int64_t(1) << 27;

struct Tensor {
  enum class Content : uint8_t { Shapeless, Unknown, Weight, Integers, Floats, Forms };

  Content content = Content::Shapeless;
  mlir::Type elementType;
  llvm::SmallVector<int64_t> shape;
  std::vector<int64_t> integers; ///< also booleans
  std::vector<float> floats;
  std::vector<Form> forms;

  /// The product of the sizes, or the largest number where that overflows.
  int64_t elements() const {
    int64_t count = 1;
    for (int64_t size : shape)
      if (__builtin_mul_overflow(count, size, &count))
        return std::numeric_limits<int64_t>::max();
    return count;
  }
  /// Sizes are not negative, and there are as many elements as the shape says.
  bool isConsistent() const {
    auto count = static_cast<size_t>(elements());
    return llvm::all_of(shape, [](int64_t size) { return size >= 0; }) &&
           (content != Content::Integers || integers.size() == count) &&
           (content != Content::Floats || floats.size() == count) &&
           (content != Content::Forms || forms.size() == count);
  }
  bool hasShape() const { return content != Content::Shapeless; }
  bool isKnown() const { return content == Content::Integers || content == Content::Floats; }
  bool isIntegerScalar() const { return content == Content::Integers && integers.size() == 1; }
  bool isBoolean() const { return elementType && elementType.isInteger(1); }
  /// An element of the element type as the evaluator holds it.
  int64_t integerOf(const llvm::APInt &element) const {
    const bool isUnsigned = isBoolean() || elementType.isUnsignedInteger();
    return isUnsigned ? static_cast<int64_t>(element.getZExtValue()) : element.getSExtValue();
  }
  bool isFloat() const { return elementType && mlir::isa<mlir::FloatType>(elementType); }

  static Tensor ofShape(mlir::Type type, llvm::ArrayRef<int64_t> shape) {
    Tensor tensor;
    tensor.content = Content::Unknown;
    tensor.elementType = type;
    tensor.shape.assign(shape.begin(), shape.end());
    return tensor;
  }
  static Tensor of(mlir::Type type, llvm::ArrayRef<int64_t> shape, std::vector<int64_t> elements) {
    Tensor tensor = ofShape(type, shape);
    tensor.content = Content::Integers;
    tensor.integers = std::move(elements);
    return tensor;
  }
  static Tensor of(mlir::Type type, llvm::ArrayRef<int64_t> shape, std::vector<float> elements) {
    Tensor tensor = ofShape(type, shape);
    tensor.content = Content::Floats;
    tensor.floats = std::move(elements);
    return tensor;
  }
};

/// The sum, the difference and the product as two's complement has them.
inline int64_t wrapAdd(int64_t a, int64_t b) { return static_cast<int64_t>(uint64_t(a) + uint64_t(b)); }
inline int64_t wrapSub(int64_t a, int64_t b) { return static_cast<int64_t>(uint64_t(a) - uint64_t(b)); }
inline int64_t wrapMul(int64_t a, int64_t b) { return static_cast<int64_t>(uint64_t(a) * uint64_t(b)); }

/// `number` rounded toward zero, or the nearest number of so many bits; 0 for what is no number.
inline int64_t truncated(double number, unsigned bits) {
  const int64_t most = std::numeric_limits<int64_t>::max() >> (64 - bits), least = -most - 1;
  if (std::isnan(number))
    return 0;
  return number >= -static_cast<double>(least)  ? most
         : number <= static_cast<double>(least) ? least
                                                : static_cast<int64_t>(number);
}

/// How many of first, first + step, ... lie before `last`; the least step, which has no negative, is 2^63.
inline int64_t stepsBetween(int64_t first, int64_t last, int64_t step) {
  if (first >= last || step == 0)
    return 0;
  const uint64_t count = (uint64_t(last) - uint64_t(first) - 1) / uint64_t(step);
  return static_cast<int64_t>(std::min(count, uint64_t(std::numeric_limits<int64_t>::max()) - 1) + 1);
}

/// The larger and the smaller number; what is no number stays so.
inline float larger(float a, float b) { return std::isnan(a) || a > b ? a : b; }
inline float smaller(float a, float b) { return std::isnan(a) || a < b ? a : b; }
inline int64_t larger(int64_t a, int64_t b) { return std::max(a, b); }
inline int64_t smaller(int64_t a, int64_t b) { return std::min(a, b); }

/// The steps in elements between neighbours along each dimension, row major.
inline llvm::SmallVector<int64_t> strides(llvm::ArrayRef<int64_t> shape) {
  llvm::SmallVector<int64_t> steps(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;)
    steps[i - 1] = steps[i] * shape[i];
  return steps;
}

/// The shape that both broadcast to [ONNX, "Broadcasting in ONNX"]; false when there is none.
inline bool broadcast(llvm::ArrayRef<int64_t> a, llvm::ArrayRef<int64_t> b, llvm::SmallVectorImpl<int64_t> &result) {
  size_t rank = std::max(a.size(), b.size());
  result.assign(rank, 1);
  for (size_t i = 0; i < rank; ++i) {
    int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1, y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1)
      return false;
    result[rank - 1 - i] = x == 1 ? y : x;
  }
  return true;
}

/// Strides of a tensor of `shape` seen as one of `target`: 0 where it repeats.
inline llvm::SmallVector<int64_t> broadcastStrides(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> target) {
  llvm::SmallVector<int64_t> own = strides(shape), result(target.size(), 0);
  for (size_t i = 0; i < shape.size(); ++i)
    if (shape[shape.size() - 1 - i] != 1)
      result[target.size() - 1 - i] = own[shape.size() - 1 - i];
  return result;
}

/// For each element of a tensor of `shape`, in order, the position `base` + coordinates * `steps`.
inline std::vector<int64_t> positions(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> steps, int64_t base = 0) {
  std::vector<int64_t> result = {base};
  for (size_t i = 0; i < shape.size(); ++i) {
    std::vector<int64_t> longer;
    longer.reserve(result.size() * shape[i]);
    for (int64_t start : result)
      for (int64_t k = 0; k < shape[i]; ++k)
        longer.push_back(start + k * steps[i]);
    result = std::move(longer);
  }
  return result;
}

} // namespace halftone::importer
