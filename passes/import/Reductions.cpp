// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators that sum up: reductions, running sums and matrix products, in float32 and int64.
#include "passes/import/Operator.h"

using namespace mlir;
using namespace halftone::importer;

//===-- Reductions ------------------------------------------------------------------------------------------------===//

/// Folds the elements of each group with `step`, in order.
template <class T, class Step>
static std::vector<T> fold(const std::vector<T> &elements, ArrayRef<int64_t> groups, int64_t count, T start,
                           Step step) {
  std::vector<T> result(count, start);
  for (size_t i = 0; i < elements.size(); ++i)
    result[groups[i]] = step(result[groups[i]], elements[i]);
  return result;
}

template <class T>
static constexpr T least =
    std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
template <class T>
static constexpr T most =
    std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();

static constexpr struct {
  float operator()(float a, float b) const { return a + b; }
  int64_t operator()(int64_t a, int64_t b) const { return wrapAdd(a, b); }
} plus;
static constexpr struct {
  float operator()(float a, float b) const { return a * b; }
  int64_t operator()(int64_t a, int64_t b) const { return wrapMul(a, b); }
} times;

template <class T>
static std::vector<T> reduceElements(StringRef name, const std::vector<T> &elements, ArrayRef<int64_t> groups,
                                     int64_t count) {
  if (name == "ReduceMax")
    return fold(elements, groups, count, least<T>, [](T a, T b) { return larger(a, b); });
  if (name == "ReduceMin")
    return fold(elements, groups, count, most<T>, [](T a, T b) { return smaller(a, b); });
  if (name == "ReduceProd")
    return fold(elements, groups, count, T(1), times);
  std::vector<T> sums = fold(elements, groups, count, T(0), plus);
  if (name == "ReduceMean" && count > 0)
    for (T &sum : sums)
      sum /= static_cast<T>(elements.size() / count);
  return sums;
}

static Outputs reduce(const Call &call) {
  const Tensor &input = call.input(0);
  auto axes = call.integers(1, "axes");
  if (call.has(1) && !axes)
    return std::nullopt;
  const bool isNamed = axes && !axes->empty();
  SmallVector<bool> reduced(input.shape.size(), !isNamed && !parameter(call.node, "noop_with_empty_axes", int64_t(0)));
  for (int64_t axis : axes.value_or(SmallVector<int64_t>())) {
    auto normal = normalizeAxis(axis, reduced.size());
    if (!normal)
      return std::nullopt;
    reduced[*normal] = true;
  }
  SmallVector<int64_t> kept, squeezed, keptSteps(input.shape.size(), 0);
  for (auto [i, size] : llvm::enumerate(input.shape)) {
    kept.push_back(reduced[i] ? 1 : size);
    if (!reduced[i])
      squeezed.push_back(size);
  }
  SmallVector<int64_t> steps = strides(kept);
  for (size_t i = 0; i < kept.size(); ++i)
    keptSteps[i] = reduced[i] ? 0 : steps[i];
  bool keep = parameter(call.node, "keepdims", int64_t(1)) == 1;
  Tensor result = Tensor::ofShape(input.elementType, keep ? kept : squeezed);
  if (!input.isKnown())
    return SmallVector<Tensor, 1>{result};
  std::vector<int64_t> groups = positions(input.shape, keptSteps);
  result.content = input.content;
  StringRef name = call.node.getOpType();
  result.integers = reduceElements(name, input.integers, ArrayRef(groups).take_front(input.integers.size()),
                                   input.integers.empty() ? 0 : result.elements());
  result.floats = reduceElements(name, input.floats, ArrayRef(groups).take_front(input.floats.size()),
                                 input.floats.empty() ? 0 : result.elements());
  if (static_cast<int64_t>(result.integers.size() + result.floats.size()) != result.elements())
    result.content = Tensor::Content::Unknown;
  return SmallVector<Tensor, 1>{result};
}

template <class T>
static void accumulate(std::vector<T> &elements, int64_t size, int64_t inner, bool exclusive, bool reverse) {
  for (size_t start = 0; start < elements.size(); start += size * inner)
    for (int64_t i = 0; i < inner; ++i) {
      T sum = T(0);
      for (int64_t k = 0; k < size; ++k) {
        T &element = elements[start + (reverse ? size - 1 - k : k) * inner + i];
        T next = plus(sum, element);
        element = exclusive ? sum : next;
        sum = next;
      }
    }
}

static Outputs cumSum(const Call &call) {
  Tensor result = call.input(0);
  if (result.content == Tensor::Content::Forms)
    result = Tensor::ofShape(result.elementType, result.shape);
  if (!result.isKnown())
    return SmallVector<Tensor, 1>{result};
  auto axes = call.integers(1, "axis");
  auto axis = axes && axes->size() == 1 ? normalizeAxis((*axes)[0], result.shape.size()) : std::nullopt;
  if (!axis)
    return std::nullopt;
  bool exclusive = parameter(call.node, "exclusive", int64_t(0)), reverse = parameter(call.node, "reverse", int64_t(0));
  int64_t size = result.shape[*axis], inner = strides(result.shape)[*axis];
  accumulate(result.integers, size, inner, exclusive, reverse);
  accumulate(result.floats, size, inner, exclusive, reverse);
  return SmallVector<Tensor, 1>{result};
}

//===-- Products --------------------------------------------------------------------------------------------------===//

/// Products up to this many multiplications are computed: tables of angles, not layers.
static constexpr int64_t largestProduct = int64_t(1) << 28;

static Outputs matMul(const Call &call) {
  const Tensor &a = call.input(0), &b = call.input(1);
  if (a.shape.size() < 2 || b.shape.size() < 2 || a.shape.back() != b.shape[b.shape.size() - 2])
    return std::nullopt;
  int64_t rows = a.shape[a.shape.size() - 2], inner = a.shape.back(), columns = b.shape.back();
  SmallVector<int64_t> batch, shape;
  ArrayRef<int64_t> batchA = ArrayRef(a.shape).drop_back(2), batchB = ArrayRef(b.shape).drop_back(2);
  if (!broadcast(batchA, batchB, batch))
    return std::nullopt;
  shape = batch;
  shape.append({rows, columns});
  Tensor result = Tensor::ofShape(a.elementType, shape);
  if (a.content != Tensor::Content::Floats || b.content != Tensor::Content::Floats ||
      result.elements() * inner > largestProduct)
    return SmallVector<Tensor, 1>{result};
  std::vector<int64_t> fromA = positions(batch, broadcastStrides(batchA, batch)),
                       fromB = positions(batch, broadcastStrides(batchB, batch));
  for (size_t i = 0; i < fromA.size(); ++i)
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < columns; ++c) {
        float sum = 0;
        for (int64_t k = 0; k < inner; ++k)
          sum += a.floats[(fromA[i] * rows + r) * inner + k] * b.floats[(fromB[i] * inner + k) * columns + c];
        result.floats.push_back(sum);
      }
  result.content = Tensor::Content::Floats;
  return SmallVector<Tensor, 1>{result};
}

static Outputs gemm(const Call &call) {
  const Tensor &a = call.input(0), &b = call.input(1);
  if (a.shape.size() != 2 || b.shape.size() != 2)
    return std::nullopt;
  bool turnA = parameter(call.node, "transA", int64_t(0)), turnB = parameter(call.node, "transB", int64_t(0));
  if (a.shape[turnA ? 0 : 1] != b.shape[turnB ? 1 : 0])
    return std::nullopt;
  return SmallVector<Tensor, 1>{Tensor::ofShape(a.elementType, {a.shape[turnA ? 1 : 0], b.shape[turnB ? 0 : 1]})};
}

ArrayRef<Operator> halftone::importer::reductionOperators() {
  static constexpr Operator table[] = {{"CumSum", cumSum},     {"Gemm", gemm},         {"MatMul", matMul},
                                       {"ReduceMax", reduce},  {"ReduceMean", reduce}, {"ReduceMin", reduce},
                                       {"ReduceProd", reduce}, {"ReduceSum", reduce}};
  return table;
}
