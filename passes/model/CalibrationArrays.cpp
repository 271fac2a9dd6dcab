// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Slices along the first axis.
#include "passes/model/CalibrationArrays.h"

#include "lib/calibrate/Choose.h"
#include "passes/model/CalibrationText.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace halftone {

/// Whether the graph's input of this array's name has an axis less than the array, so that none is left for a batch.
static bool isUnbatched(const io::NamedArray &array, const onnx::Model &model) {
  const auto input = std::ranges::find(model.graph.inputs, array.name, &onnx::ValueInfo::name);
  return input != model.graph.inputs.end() && input->shape && input->shape->size() + 1 == array.shape.size();
}

static TensorType sampleOf(const io::NamedArray &array, const onnx::Model &model) {
  TensorType type = {array.name, elementTypeOf(array.type), {array.shape.begin(), array.shape.end()}};
  if (isUnbatched(array, model))
    type.shape.erase(type.shape.begin());
  else
    type.shape.front() = 1;
  return type;
}

/// Where the first NaN among elements with such bits stands: more than those of infinity.
template <class Bits> static std::optional<size_t> findNan(std::span<const std::byte> data, Bits infinity) {
  for (size_t i = 0; i < data.size() / sizeof(Bits); ++i) {
    Bits bits;
    std::memcpy(&bits, data.data() + i * sizeof bits, sizeof bits);
    if (static_cast<Bits>(bits << 1) > static_cast<Bits>(infinity << 1))
      return i;
  }
  return std::nullopt;
}

static std::optional<size_t> findNan(const io::NamedArray &array) {
  switch (array.type) {
  case io::NpyType::float16:
    return findNan<uint16_t>(array.data, 0x7c00);
  case io::NpyType::float32:
    return findNan<uint32_t>(array.data, 0x7f800000);
  case io::NpyType::float64:
    return findNan<uint64_t>(array.data, 0x7ff0000000000000);
  default:
    return std::nullopt;
  }
}

/// "[2, 0, 7]", the coordinates of an element.
static std::string coordinates(size_t element, const std::vector<uint64_t> &shape) {
  std::string text;
  for (size_t i = shape.size(); i > 0; element /= shape[--i])
    text = std::to_string(element % shape[i - 1]) + (text.empty() ? "" : ", ") + text;
  return "[" + text + "]";
}

Status CalibrationArrays::readFile(const ArrayOptions &options, const onnx::Model &model) {
  const std::string first = model.graph.inputs.empty() ? "" : model.graph.inputs.front().name;
  Expected<io::NpzFile> opened = io::NpzFile::open(options.path, first);
  if (!opened)
    return opened.error();
  file = std::move(*opened);
  arrays = file->arrays();
  return {};
}

Status CalibrationArrays::readText(const ArrayOptions &options, const onnx::Model &model) {
  Expected<std::vector<OwnedArray>> made = textArrays(options, model);
  if (!made)
    return made.error();
  for (OwnedArray &array : *made) {
    owned.push_back(std::move(array.elements));
    arrays.push_back({array.name, array.type, array.shape, owned.back()});
  }
  return {};
}

Expected<CalibrationArrays> CalibrationArrays::open(const ArrayOptions &options, const onnx::Model &model) {
  CalibrationArrays result(options.path);
  if (Status read = options.tokenizer.empty() ? result.readFile(options, model) : result.readText(options, model);
      !read)
    return read.error();
  const std::vector<io::NamedArray> &arrays = result.arrays;
  if (arrays.empty())
    return Error{options.path + ": no arrays to calibrate on"};
  for (const io::NamedArray &array : arrays) {
    const std::string where = options.path + ": array '" + array.name + "' is " + io::describe(array.type, array.shape);
    if (array.shape.empty())
      return Error{where + ": its first axis should be that of samples, but it has none"};
    if (array.shape.front() != arrays.front().shape.front())
      return Error{where + ", but '" + arrays.front().name + "' has " + std::to_string(arrays.front().shape.front()) +
                   " samples"};
    if (array.shape.front() == 0)
      return Error{where + ": no sample to calibrate on"};
    if (const std::optional<size_t> bad = findNan(array))
      return Error{options.path + ": array '" + array.name + "' is NaN at " + coordinates(*bad, array.shape)};
    result.types.push_back(sampleOf(array, model));
  }
  result.chosen.resize(arrays.front().shape.front());
  std::iota(result.chosen.begin(), result.chosen.end(), 0);
  calibrate::choose(result.chosen, options.samples, options.seed);
  return result;
}

std::vector<Buffer> CalibrationArrays::sample(int64_t index, const PlainFunction &function) const {
  std::vector<Buffer> tensors;
  for (const TensorType &input : function.inputs()) {
    const io::NamedArray &array = *std::ranges::find(arrays, input.name, &io::NamedArray::name);
    const size_t bytes = array.data.size() / array.shape.front();
    tensors.emplace_back(bytes);
    if (bytes > 0)
      std::memcpy(tensors.back().data(), array.data.data() + chosen[index] * bytes, bytes);
  }
  return tensors;
}

} // namespace halftone
