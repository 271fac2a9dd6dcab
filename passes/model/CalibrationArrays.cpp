// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Slices along the first axis.
#include "passes/model/CalibrationArrays.h"

#include "lib/calibrate/Choose.h"

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

Expected<CalibrationArrays> CalibrationArrays::open(const ArrayOptions &options, const onnx::Model &model) {
  Expected<io::NpzFile> file = io::NpzFile::open(options.path);
  if (!file)
    return file.error();
  CalibrationArrays result(std::move(*file));
  const std::vector<io::NamedArray> &arrays = result.file.arrays();
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
    const io::NamedArray &array = *file.find(input.name);
    const size_t bytes = array.data.size() / array.shape.front();
    tensors.emplace_back(bytes);
    if (bytes > 0)
      std::memcpy(tensors.back().data(), array.data.data() + chosen[index] * bytes, bytes);
  }
  return tensors;
}

} // namespace halftone
