// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators whose window slides over the dimensions behind batch and channels.
#include "passes/function/Windows.h"

#include <algorithm>
#include <limits>

using namespace mlir;
using namespace halftone;
using namespace halftone::function;

/// Products of two such numbers are far from overflow.
static constexpr int64_t largestStep = std::numeric_limits<int32_t>::max();

FailureOr<Window> halftone::function::windowOf(Conversion &c, ArrayRef<int64_t> input, ArrayRef<int64_t> kernel) {
  const size_t rank = kernel.size();
  auto listed = [&](StringRef name, int64_t otherwise, size_t count) {
    return importer::listParameter(c.node, name).value_or(SmallVector<int64_t>(count, otherwise));
  };
  Window window;
  window.kernel.assign(kernel.begin(), kernel.end());
  window.strides = listed("strides", 1, rank);
  window.dilations = listed("dilations", 1, rank);
  SmallVector<int64_t> pads = listed("pads", 0, 2 * rank);
  if (input.size() != rank || window.strides.size() != rank || window.dilations.size() != rank ||
      pads.size() != 2 * rank)
    return c.fail("its window has " + Twine(rank) + " dimensions, the input " + Twine(input.size()));
  for (ArrayRef<int64_t> sizes : {ArrayRef(window.kernel), ArrayRef(window.strides), ArrayRef(window.dilations)})
    if (llvm::any_of(sizes, [](int64_t size) { return size < 1 || size > largestStep; }))
      return c.fail("its window, strides or dilations are not between 1 and " + Twine(largestStep));
  if (llvm::any_of(pads, [](int64_t pad) { return pad < 0 || pad > largestStep; }))
    return c.fail("its padding is not between 0 and " + Twine(largestStep));
  const StringRef automatic = c.parameter("auto_pad", StringRef("NOTSET"));
  const bool roundsUp = c.parameter("ceil_mode", int64_t(0));
  for (size_t i = 0; i < rank; ++i) {
    const int64_t span = (kernel[i] - 1) * window.dilations[i] + 1, stride = window.strides[i];
    int64_t before = pads[i], after = pads[rank + i];
    if (automatic.starts_with("SAME")) {
      const int64_t total = std::max<int64_t>(((input[i] + stride - 1) / stride - 1) * stride + span - input[i], 0);
      before = automatic == "SAME_LOWER" ? (total + 1) / 2 : total / 2;
      after = total - before;
    }
    const int64_t room = input[i] + before + after - span;
    int64_t count = room < 0 ? 0 : room / stride + 1;
    // One window more where some of it is inside; one that begins in the padding at the end is none.
    if (roundsUp && room >= 0 && room % stride != 0 && count * stride < input[i] + before) {
      ++count;
      after += stride - room % stride;
    }
    window.before.push_back(before);
    window.after.push_back(after);
    window.result.push_back(count);
  }
  return window;
}

AffineExpr halftone::function::under(const Window &window, size_t i, unsigned loop, unsigned kernelLoop,
                                     MLIRContext *context) {
  return getAffineDimExpr(loop, context) * window.strides[i] +
         getAffineDimExpr(kernelLoop, context) * window.dilations[i];
}

Value halftone::function::padded(TensorBuilder &b, Value x, const Window &window, double value) {
  SmallVector<int64_t> before(2, 0), after(2, 0);
  before.append(window.before);
  after.append(window.after);
  return b.pad(x, before, after, value);
}

/// Loops: batch, group, channel of the group, place, then what is summed: input channel of the group, place in the
/// kernel.
FailureOr<Value> halftone::function::convolve(Conversion &c, Value x, Value w) {
  const int64_t groups = c.parameter("group", int64_t(1));
  if (rankOf(x) < 3 || rankOf(w) != rankOf(x) || elementOf(x) != elementOf(w))
    return c.fail("a kernel of " + Twine(rankOf(w)) + " dimensions for an input of " + Twine(rankOf(x)) +
                  ", or of another type");
  ArrayRef<int64_t> kernel = shapeOf(w).drop_front(2);
  if (groups < 1 || groups > largestStep || shapeOf(w)[1] * groups != shapeOf(x)[1] || shapeOf(w)[0] % groups != 0)
    return c.fail("channels differ: the input has " + Twine(shapeOf(x)[1]) + ", the kernel takes " +
                  Twine(shapeOf(w)[1]) + " in " + Twine(groups) + " groups");
  FailureOr<Window> window = windowOf(c, shapeOf(x).drop_front(2), kernel);
  if (failed(window))
    return failure();
  x = padded(c.b, x, *window, 0);
  MLIRContext *context = c.b.builder.getContext();
  const int64_t rank = static_cast<int64_t>(kernel.size()), inner = shapeOf(w)[1], outer = shapeOf(w)[0] / groups;
  SmallVector<int64_t> split(shapeOf(x)), own(shapeOf(w)), result = {shapeOf(x)[0], groups, outer};
  split.erase(split.begin() + 1);
  split.insert(split.begin() + 1, {groups, inner});
  own.insert(own.begin(), groups);
  own[1] = outer;
  result.append(window->result);
  auto dim = [&](unsigned i) { return getAffineDimExpr(i, context); };
  const unsigned channel = 3 + rank, loops = 4 + 2 * rank;
  SmallVector<AffineExpr> fromX = {dim(0), dim(1), dim(channel)}, fromW = {dim(1), dim(2), dim(channel)}, to;
  for (unsigned i = 0; i < loops - rank - 1; ++i)
    to.push_back(dim(i));
  for (int64_t i = 0; i < rank; ++i) {
    fromX.push_back(under(*window, i, 3 + i, channel + 1 + i, context));
    fromW.push_back(dim(channel + 1 + i));
  }
  SmallVector<int64_t> sizes(result);
  sizes.push_back(inner);
  llvm::append_range(sizes, kernel);
  Value sum = c.b.contract(c.b.reshape(x, split), AffineMap::get(loops, 0, fromX, context), c.b.reshape(w, own),
                           AffineMap::get(loops, 0, fromW, context), AffineMap::get(loops, 0, to, context), sizes,
                           result, elementOf(x));
  SmallVector<int64_t> joined = {result[0], groups * outer};
  joined.append(window->result);
  return c.b.reshape(sum, joined);
}

/// One number per channel, as it broadcasts to a result of that rank.
Value halftone::function::perChannel(TensorBuilder &b, Value vector, int64_t rank) {
  SmallVector<int64_t> shape(rank, 1);
  shape[1] = cast<RankedTensorType>(vector.getType()).getNumElements();
  return b.reshape(vector, shape);
}

static Results conv(Conversion &c) {
  FailureOr<Value> result = convolve(c, c.input(0), c.input(1));
  if (failed(result))
    return failure();
  if (c.has(2)) {
    if (rankOf(c.input(2)) != 1 || shapeOf(c.input(2))[0] != shapeOf(*result)[1] ||
        elementOf(c.input(2)) != elementOf(*result))
      return c.fail("the bias does not fit " + Twine(shapeOf(*result)[1]) + " channels");
    result = c.b.add(*result, perChannel(c.b, c.input(2), rankOf(*result)));
  }
  return SmallVector<Value, 2>{*result};
}

static Value slide(TensorBuilder &b, Value x, const Window &window, double start, TensorBuilder::Body step) {
  MLIRContext *context = b.builder.getContext();
  const unsigned rank = window.kernel.size();
  SmallVector<int64_t> shape = {shapeOf(x)[0], shapeOf(x)[1]};
  SmallVector<AffineExpr> source = {getAffineDimExpr(0, context), getAffineDimExpr(1, context)};
  shape.append(window.result);
  for (unsigned i = 0; i < rank; ++i)
    source.push_back(under(window, i, 2 + i, 2 + rank + i, context));
  return b.reduceWindows(x, AffineMap::get(2 + 2 * rank, 0, source, context), shape, window.kernel, start, step);
}

static Value larger(TensorBuilder &b, ValueRange v) {
  return isa<FloatType>(v[0].getType()) ? b.make<arith::MaximumFOp>(v[0], v[1]) : b.make<arith::MaxSIOp>(v[0], v[1]);
}
static Value plus(TensorBuilder &b, ValueRange v) { return b.make<arith::AddFOp>(v[0], v[1]); }

static FailureOr<Window> poolWindow(Conversion &c) {
  auto kernel = importer::listParameter(c.node, "kernel_shape");
  if (!kernel || rankOf(c.input(0)) < 3)
    return c.fail("the input has " + Twine(rankOf(c.input(0))) + " dimensions, and the kernel needs a shape");
  return windowOf(c, shapeOf(c.input(0)).drop_front(2), *kernel);
}

static Results maxPool(Conversion &c) {
  FailureOr<Window> window = poolWindow(c);
  if (failed(window))
    return failure();
  if (c.wants(1))
    return c.fail("the places of the largest elements are not supported");
  const double least = -std::numeric_limits<double>::infinity();
  Value result = slide(c.b, padded(c.b, c.signedInput(0), *window, least), *window, least, larger);
  return SmallVector<Value, 2>{c.like(result, 0), Value()};
}

static Results averagePool(Conversion &c) {
  FailureOr<Window> window = poolWindow(c);
  if (failed(window))
    return failure();
  Value x = c.input(0), total = slide(c.b, padded(c.b, x, *window, 0), *window, 0, plus);
  // What is counted: the padding that the node asks for, or only elements that are there.
  const double outside = c.parameter("count_include_pad", int64_t(0)) ? 1 : 0;
  SmallVector<int64_t> shape(shapeOf(x));
  shape[0] = shape[1] = 1;
  Value ones = padded(c.b, c.b.filled(elementOf(x), shape, 1), *window, outside);
  return SmallVector<Value, 2>{c.b.divide(total, slide(c.b, ones, *window, 0, plus))};
}

template <bool isMax> static Results globalPool(Conversion &c) {
  Value x = c.input(0);
  auto axes = llvm::to_vector(llvm::seq<int64_t>(2, std::max<int64_t>(rankOf(x), 2)));
  return SmallVector<Value, 2>{isMax ? c.b.reduce(x, axes, -std::numeric_limits<double>::infinity(), larger)
                                     : c.b.mean(x, axes)};
}

ArrayRef<Operator> halftone::function::windowOperators() {
  static constexpr Operator table[] = {
      {"", "AveragePool", 7, 1, averagePool},
      {"", "Conv", 1, 2, conv},
      {"", "GlobalAveragePool", 1, 1, globalPool<false>},
      {"", "GlobalMaxPool", 1, 1, globalPool<true>},
      {"", "MaxPool", 1, 1, maxPool},
  };
  return table;
}
