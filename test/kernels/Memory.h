// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Memory that ends where the process may not read: a kernel that reaches behind a tensor does not go unnoticed.
#pragma once

#include "test/kernels/Request.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace halftone::test {

class Memory {
public:
  Memory() = default;
  /// `bytes` bytes, all ones (NaN as f32), at an address that `alignment` divides.
  explicit Memory(size_t bytes, size_t alignment = 4);
  template <class T> explicit Memory(std::span<const T> content) : Memory(content.size_bytes()) {
    if (!content.empty())
      std::memcpy(begin, content.data(), bytes);
  }
  Memory(Memory &&other) noexcept { *this = std::move(other); }
  Memory &operator=(Memory &&other) noexcept {
    std::swap(begin, other.begin);
    std::swap(mapping, other.mapping);
    std::swap(bytes, other.bytes);
    return *this;
  }
  ~Memory();

  void *data() const { return begin; }
  template <class T> std::span<T> as() const { return {reinterpret_cast<T *>(begin), bytes / sizeof(T)}; }

  /// All memory that there is, without the pages behind it.
  static std::vector<Mapping> all();
  /// The file's descriptor, which programs inherit.
  static int file();

private:
  std::byte *begin = nullptr;
  Mapping mapping = {};
  size_t bytes = 0;
};

} // namespace halftone::test
