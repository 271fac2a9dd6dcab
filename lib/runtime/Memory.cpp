// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// mmap with a wish for huge pages, which spare the processor's address cache.
#include "lib/runtime/Memory.h"

#include "lib/io/SystemError.h"

#include <cerrno>
#include <sys/mman.h>
#include <utility>

namespace halftone::runtime {

Expected<Memory> Memory::allocate(uint64_t bytes, const char *purpose) {
  const uint64_t mapped = bytes == 0 ? 1 : bytes; // mmap refuses nothing at all
  void *start = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED)
    return io::systemError(purpose, "allocate " + std::to_string(bytes) + " bytes", errno);
  madvise(start, mapped, MADV_HUGEPAGE);
  return Memory(start, mapped);
}

Memory::Memory(Memory &&other) noexcept : start(std::exchange(other.start, nullptr)), bytes(other.bytes) {}

Memory &Memory::operator=(Memory &&other) noexcept {
  std::swap(start, other.start);
  std::swap(bytes, other.bytes);
  return *this;
}

Memory::~Memory() {
  if (start)
    munmap(start, bytes);
}

} // namespace halftone::runtime
