// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs pieces of work on some threads, each taking the next one when it is free.
#pragma once

#include "lib/matrix/Parallel.h"

#include <atomic>
#include <thread>
#include <vector>

namespace halftone::matrix {

inline ParallelFor onThreads(int threads) {
  return [threads](int64_t count, const std::function<void(int64_t)> &body) {
    std::atomic<int64_t> next = 0;
    std::vector<std::jthread> team(threads);
    for (std::jthread &thread : team)
      thread = std::jthread([&] {
        for (int64_t i; (i = next++) < count;)
          body(i);
      });
  };
}

} // namespace halftone::matrix
