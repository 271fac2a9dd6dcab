// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Samples run side by side; what they gave is added in their order.
#include "passes/model/LinearInputs.h"

#include "lib/formats/Scalar.h"

#include <algorithm>
#include <cstring>

namespace halftone {

int64_t statisticsBytes(const LinearInputs &inputs, calibrate::Gather gather) {
  const int64_t vectors = 8; // sums and what is made of them
  const int64_t rows = has(gather, calibrate::Gather::hessian) ? inputs.columns + vectors : vectors;
  return rows * inputs.columns * static_cast<int64_t>(sizeof(double));
}

namespace {

/// Adds up the statistics of a graph's values.
class Gatherer {
public:
  Gatherer(std::string path, std::span<const LinearInputs> inputs, calibrate::Gather gather,
           const matrix::ParallelFor &parallelFor)
      : path(std::move(path)), inputs(inputs) {
    for (const LinearInputs &input : inputs)
      accumulators.emplace_back(input.columns, gather, parallelFor);
  }

  /// All values, each once: what the function is to give.
  std::vector<onnx::ValueInfo> outputs() const;
  /// Whether the function gives vectors of the lengths that the linears read.
  Status check(const PlainFunction &function);
  Status add(const PlainFunction &function, std::span<const Buffer> outputs, int64_t sample);
  std::vector<calibrate::Statistics> finish();

private:
  struct Vectors {
    std::vector<float> values;
    int64_t tokens;
  };
  static size_t place(const PlainFunction &function, const std::string &value);
  static Vectors vectors(const TensorType &type, const Buffer &buffer, int64_t columns, bool isTransposed);

  std::string path;
  std::span<const LinearInputs> inputs;
  std::vector<calibrate::Accumulator> accumulators;
};

} // namespace

std::vector<onnx::ValueInfo> Gatherer::outputs() const {
  std::vector<onnx::ValueInfo> values;
  for (const LinearInputs &input : inputs)
    for (const LinearInput &one : input.values)
      if (std::ranges::find(values, one.value, &onnx::ValueInfo::name) == values.end())
        values.push_back({one.value, onnx::ElementType::undefined, std::nullopt});
  return values;
}

size_t Gatherer::place(const PlainFunction &function, const std::string &value) {
  return std::ranges::find(function.outputs(), value, &TensorType::name) - function.outputs().begin();
}

Status Gatherer::check(const PlainFunction &function) {
  for (const LinearInputs &input : inputs)
    for (const LinearInput &one : input.values) {
      const TensorType &type = function.outputs()[place(function, one.value)];
      const bool fits = !type.shape.empty() && (!one.isTransposed || type.shape.size() == 2) &&
                        (one.isTransposed ? type.shape.front() : type.shape.back()) == input.columns;
      if (!fits)
        return Error{path + ": value '" + one.value + "' is " + onnx::describe(type.type, type.shape) +
                     ", but a linear reads vectors of " + std::to_string(input.columns)};
      if (*onnx::elementCount(type.shape) == 0)
        return Error{path + ": value '" + one.value + "' is " + onnx::describe(type.type, type.shape) +
                     ": a linear reads it, and there is no vector to calibrate on"};
    }
  return {};
}

static void toFloats(const TensorType &type, const std::byte *from, std::span<float> to) {
  if (type.type == onnx::ElementType::float32) {
    std::memcpy(to.data(), from, to.size_bytes());
    return;
  }
  for (size_t i = 0; i < to.size(); ++i) {
    if (type.type == onnx::ElementType::float64) {
      double value;
      std::memcpy(&value, from + i * sizeof value, sizeof value);
      to[i] = static_cast<float>(value);
      continue;
    }
    uint16_t bits;
    std::memcpy(&bits, from + i * sizeof bits, sizeof bits);
    to[i] = type.type == onnx::ElementType::float16 ? formats::fromF16(bits) : formats::fromBf16(bits);
  }
}

Gatherer::Vectors Gatherer::vectors(const TensorType &type, const Buffer &buffer, int64_t columns, bool isTransposed) {
  Vectors result = {std::vector<float>(*onnx::elementCount(type.shape)), 0};
  result.tokens = static_cast<int64_t>(result.values.size()) / columns;
  toFloats(type, buffer.data(), result.values);
  if (!isTransposed)
    return result;
  std::vector<float> turned(result.values.size());
  for (int64_t column = 0; column < columns; ++column)
    for (int64_t token = 0; token < result.tokens; ++token)
      turned[token * columns + column] = result.values[column * result.tokens + token];
  result.values = std::move(turned);
  return result;
}

Status Gatherer::add(const PlainFunction &function, std::span<const Buffer> outputs, int64_t sample) {
  for (size_t i = 0; i < inputs.size(); ++i)
    for (const LinearInput &one : inputs[i].values) {
      const size_t output = place(function, one.value);
      const int64_t columns = inputs[i].columns;
      const Vectors given = vectors(function.outputs()[output], outputs[output], columns, one.isTransposed);
      if (Status added = accumulators[i].add({given.values.data(), given.tokens, columns, sample, 0}); !added)
        return Error{path + ": value '" + one.value + "', " + added.error().message};
    }
  return {};
}

std::vector<calibrate::Statistics> Gatherer::finish() {
  std::vector<calibrate::Statistics> result;
  for (calibrate::Accumulator &accumulator : accumulators)
    result.push_back(accumulator.finish());
  return result;
}

//===-- Running ---------------------------------------------------------------------------------------------------===//

/// One sample: what the function gives for it.
static Status run(const PlainFunction &function, const CalibrationArrays &arrays, int64_t sample,
                  std::vector<Buffer> &outputs) {
  std::vector<Buffer> inputs = arrays.sample(sample, function);
  std::vector<const void *> from;
  for (Buffer &input : inputs)
    from.push_back(input.data());
  std::vector<void *> to;
  for (Buffer &output : outputs)
    to.push_back(output.data());
  return function.run(from, to);
}

static std::vector<Buffer> memoryFor(const PlainFunction &function) {
  std::vector<Buffer> memory;
  for (const TensorType &output : function.outputs())
    memory.emplace_back(onnx::byteSize(output.type, output.shape).value_or(0));
  return memory;
}

Expected<std::vector<calibrate::Statistics>> gatherStatistics(onnx::Model model, const CalibrationArrays &arrays,
                                                              std::span<const LinearInputs> inputs,
                                                              calibrate::Gather gather, int64_t threads,
                                                              const matrix::ParallelFor &parallelFor,
                                                              const std::function<void(int64_t done)> &advance) {
  Gatherer gatherer(model.path, inputs, gather, parallelFor);
  model.graph.outputs = gatherer.outputs();
  const Expected<PlainFunction> function = PlainFunction::compile(std::move(model), arrays.inputs());
  if (!function)
    return function.error();
  if (Status checked = gatherer.check(*function); !checked)
    return checked.error();
  std::vector<std::vector<Buffer>> memory(std::min(threads, arrays.count()));
  for (std::vector<Buffer> &outputs : memory)
    outputs = memoryFor(*function);
  std::vector<Status> results(memory.size());
  for (int64_t first = 0; first < arrays.count(); first += static_cast<int64_t>(memory.size())) {
    const int64_t count = std::min<int64_t>(static_cast<int64_t>(memory.size()), arrays.count() - first);
    parallelFor(count, [&](int64_t i) { results[i] = run(*function, arrays, first + i, memory[i]); });
    for (int64_t i = 0; i < count; ++i) {
      const int64_t place = arrays.place(first + i);
      if (!results[i])
        return Error{arrays.path() + ": sample " + std::to_string(place) + ": " + results[i].error().message};
      if (Status added = gatherer.add(*function, memory[i], place); !added)
        return added.error();
    }
    advance(first + count);
  }
  return gatherer.finish();
}

} // namespace halftone
