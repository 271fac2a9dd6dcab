// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How this folder and lib/quantize use threads: they are given a runner and hand it pieces of work that are cut without
// regard to how many threads there are, so that the bytes of a result never depend on it.
#pragma once

#include <cstdint>
#include <functional>

namespace halftone::matrix {

/// Calls body(0) .. body(count - 1), each once, in any order and on any thread; returns when all are done. The pieces
/// write to different memory and do not fail.
using ParallelFor = std::function<void(int64_t count, const std::function<void(int64_t)> &body)>;

/// One after the other on the caller's thread.
inline void serially(int64_t count, const std::function<void(int64_t)> &body) {
  for (int64_t i = 0; i < count; ++i)
    body(i);
}

} // namespace halftone::matrix
