// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arrays of .npz files as tensors that enter and leave a PlainFunction.
#pragma once

#include "lib/io/Npz.h"
#include "lib/onnx/ElementType.h"

#include <cstddef>
#include <optional>
#include <vector>

namespace halftone {

onnx::ElementType elementTypeOf(io::NpyType type);
/// Nothing for types that an .npz file cannot hold.
std::optional<io::NpyType> arrayTypeOf(onnx::ElementType type);

/// Memory of its own for one tensor, aligned for every element type.
class Buffer {
public:
  explicit Buffer(size_t bytes) : words((bytes + sizeof(std::max_align_t) - 1) / sizeof(std::max_align_t)) {}
  std::byte *data() { return reinterpret_cast<std::byte *>(words.data()); }
  const std::byte *data() const { return reinterpret_cast<const std::byte *>(words.data()); }

private:
  std::vector<std::max_align_t> words;
};

} // namespace halftone
