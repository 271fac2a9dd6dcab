// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The elements of a tensor, streamed from where they lie, converted to float or int64.
#pragma once

#include "lib/onnx/Model.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace halftone::onnx {

/// Reads a tensor's elements from its file, row by row. Values are as stored: NaN and infinity pass through.
/// Keeps the file mapped; a tensor that lies inline must outlive its reader. Safe from several threads.
class WeightReader {
public:
  /// Fails for tensors of strings.
  static Expected<WeightReader> open(const Model &model, const Tensor &tensor);
  /// The same from a file alone, as `lowbit.weight` names it: `shape` of `type` at `offset`. Fails when the tensor does
  /// not lie inside the file.
  static Expected<WeightReader> open(std::shared_ptr<const io::MappedFile> file, uint64_t offset, ElementType type,
                                     std::vector<int64_t> shape, std::string name);

  ElementType type() const { return elementType; }
  const std::vector<int64_t> &shape() const { return dimensions; }
  const std::string &name() const { return label; }
  /// Product of all dimensions but the last (1 for a scalar or vector), and the last (1 for a scalar).
  uint64_t rows() const { return rowCount; }
  uint64_t columns() const { return columnCount; }
  uint64_t elements() const { return rowCount * columnCount; }
  /// The elements as stored; not necessarily aligned.
  std::span<const std::byte> bytes() const { return content; }

  /// Converts out.size() elements from element `first` on, from float32, float16, bfloat16, float64 (rounded), or an
  /// integer type (exact up to 2^24). Fails for other types and past the end.
  Status readFloats(uint64_t first, std::span<float> out) const;
  /// The same from integer and boolean types; uint64 above int64's range is an error.
  Status readIntegers(uint64_t first, std::span<int64_t> out) const;

  Status readRow(uint64_t row, std::span<float> out) const {
    return readFloats(row * columnCount, out.first(columnCount));
  }
  Expected<std::vector<float>> allFloats() const;
  Expected<std::vector<int64_t>> allIntegers() const;

  /// Gives the memory behind `count` rows from `first` back to the system once they were read.
  void release(uint64_t first, uint64_t count) const;

private:
  WeightReader() = default;
  Status setShape(ElementType type, std::vector<int64_t> shape);
  Status checkRange(uint64_t first, uint64_t count) const;
  Error error(const std::string &what) const;

  std::shared_ptr<const io::MappedFile> file; // null for an inline tensor
  std::string label;                          // "stories.onnx: tensor 'w'", how errors start
  ElementType elementType = ElementType::undefined;
  std::vector<int64_t> dimensions;
  uint64_t rowCount = 1, columnCount = 1;
  std::span<const std::byte> content;
};

/// Whether two tensors hold the same stored elements, bit for bit: `b` itself, or for matrices its transpose. False
/// when types or shapes do not fit, and for the transpose of elements under 8 bits. Compared in place and by blocks up
/// to the first difference, which between different weights comes at once: no hash or sample could be cheaper.
bool sameContent(const WeightReader &a, const WeightReader &b, bool transposed = false);

} // namespace halftone::onnx
