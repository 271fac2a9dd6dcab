// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading safetensors files [huggingface/safetensors, "Format"]: 8 bytes with the length of a header, the header in
// JSON, then the bytes of all tensors without a gap.
#pragma once

#include "lib/io/MappedFile.h"
#include "lib/safetensors/ElementType.h"
#include "lib/safetensors/Format.h"

#include <string>
#include <string_view>
#include <vector>

namespace halftone::safetensors {

/// One tensor of a file: C order, little endian.
struct Tensor {
  std::string name;
  ElementType type = ElementType::f32;
  /// Outermost dimension first; empty for a scalar.
  std::vector<uint64_t> shape;
  /// Where its bytes are in the file.
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

/// A mapped file. Reading from several threads is safe.
class File {
public:
  /// Reads and checks the header; no tensor's bytes are touched. Fails naming the file, the tensor and both values.
  static Expected<File> open(std::string path);

  const std::string &path() const { return file.path(); }
  /// Sorted by name.
  const std::vector<Tensor> &tensors() const { return list; }
  /// The tensor of that name, or null.
  const Tensor *find(std::string_view name) const;
  const Metadata &metadata() const { return strings; }

  /// The bytes of a tensor of this file; not necessarily aligned.
  std::span<const std::byte> data(const Tensor &tensor) const;
  /// Gives the tensor's memory back to the system; its bytes come from the disk again when they are read.
  void release(const Tensor &tensor) const { file.release(tensor.offset, tensor.bytes); }

private:
  explicit File(io::MappedFile file) : file(std::move(file)) {}

  io::MappedFile file;
  std::vector<Tensor> list;
  Metadata strings;
};

} // namespace halftone::safetensors
