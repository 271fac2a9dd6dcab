// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Large zeroed memory straight from the system: the arena, the cache, logits.
#pragma once

#include "lib/io/Result.h"

#include <cstddef>
#include <cstdint>

namespace halftone::runtime {

/// Pages of its own, zeroed, aligned to a page, given back on destruction. Pages are touched, hence used, only when
/// written.
class Memory {
public:
  /// \param purpose what it is for, in the error: "the cache".
  static Expected<Memory> allocate(uint64_t bytes, const char *purpose);

  Memory(Memory &&other) noexcept;
  Memory &operator=(Memory &&other) noexcept;
  ~Memory();

  void *data() const { return start; }
  uint64_t size() const { return bytes; }

private:
  Memory(void *start, uint64_t bytes) : start(start), bytes(bytes) {}

  void *start;
  uint64_t bytes;
};

} // namespace halftone::runtime
