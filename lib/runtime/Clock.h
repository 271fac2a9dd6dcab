// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Time for the facts line and for a seed nobody chose.
#pragma once

#include <cstdint>
#include <ctime>

namespace halftone::runtime {

/// Seconds since some moment, for differences.
inline double now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// A number that is different from one run to the next, short enough to be typed again.
inline uint64_t seedFromTime() {
  timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return (static_cast<uint64_t>(time.tv_sec) * 1000000 + static_cast<uint64_t>(time.tv_nsec) / 1000) % 1000000000;
}

} // namespace halftone::runtime
