// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Memory that ends where the process may not read: a kernel that reaches behind a tensor does not go unnoticed.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <span>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace halftone::test {

class Memory {
public:
  Memory() = default;
  /// `bytes` bytes, all ones (NaN as f32), at an address that `alignment` divides.
  explicit Memory(size_t bytes, size_t alignment = 4) : bytes(bytes) {
    const size_t page = sysconf(_SC_PAGESIZE);
    mapped = (bytes + alignment + page - 1) / page * page + page;
    base = static_cast<std::byte *>(mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base == MAP_FAILED || mprotect(base + mapped - page, page, PROT_NONE) != 0)
      std::abort();
    begin = base + (mapped - page - bytes) / alignment * alignment;
    std::memset(begin, 0xff, bytes);
  }
  template <class T> explicit Memory(std::span<const T> content) : Memory(content.size_bytes()) {
    if (!content.empty())
      std::memcpy(begin, content.data(), bytes);
  }
  Memory(Memory &&other) noexcept { *this = std::move(other); }
  Memory &operator=(Memory &&other) noexcept {
    std::swap(base, other.base);
    std::swap(begin, other.begin);
    std::swap(mapped, other.mapped);
    std::swap(bytes, other.bytes);
    return *this;
  }
  ~Memory() {
    if (base)
      munmap(base, mapped);
  }

  void *data() const { return begin; }
  template <class T> std::span<T> as() const { return {reinterpret_cast<T *>(begin), bytes / sizeof(T)}; }

private:
  std::byte *base = nullptr, *begin = nullptr;
  size_t mapped = 0, bytes = 0;
};

} // namespace halftone::test
