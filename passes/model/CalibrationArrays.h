// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arrays that a graph is calibrated on: an .npz file with one for each of the graph's inputs, an .npy file for the only
// one, or what a text gives; samples along the first axis.
#pragma once

#include "passes/Arrays.h"
#include "passes/PlainFunction.h"

namespace halftone {

struct ArrayOptions {
  std::string path;
  /// Most samples; 0 takes all. `seed` decides which when there are more.
  int64_t samples = 0;
  uint64_t seed = 0;
  /// A file with which `path` is read as a text, in windows of `length` tokens; empty: `path` holds arrays.
  std::string tokenizer;
  /// 0: what the model wants, else 256.
  int64_t length = 0;
};

class CalibrationArrays {
public:
  /// Fails, naming file and array, when the arrays are none or differ in their number of samples, when one has no axis
  /// of samples, when there is no sample, or when an element is NaN; of a text, as textArrays does.
  static Expected<CalibrationArrays> open(const ArrayOptions &options, const onnx::Model &model);

  /// The tensors of one sample: a batch of one, or the sample alone where the graph's input has an axis less.
  const std::vector<TensorType> &inputs() const { return types; }
  /// How many samples were taken.
  int64_t count() const { return static_cast<int64_t>(chosen.size()); }
  /// Where sample `index` stands along the first axis.
  int64_t place(int64_t index) const { return chosen[index]; }
  const std::string &path() const { return source; }

  /// The elements of sample `index`, in the order of `function`'s inputs.
  std::vector<Buffer> sample(int64_t index, const PlainFunction &function) const;

private:
  explicit CalibrationArrays(std::string source) : source(std::move(source)) {}
  Status readFile(const ArrayOptions &options, const onnx::Model &model);
  Status readText(const ArrayOptions &options, const onnx::Model &model);

  std::string source;
  std::optional<io::NpzFile> file;
  std::vector<std::vector<std::byte>> owned; ///< what arrays of no file point into
  std::vector<io::NamedArray> arrays;
  std::vector<TensorType> types;
  std::vector<int64_t> chosen; ///< places along the first axis
};

} // namespace halftone
