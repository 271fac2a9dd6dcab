// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The same numbers on every machine.
#pragma once

#include <cstdint>
#include <vector>

namespace halftone::test {

/// SplitMix64 [Steele, Lea, Flood 2014].
class Random {
public:
  explicit Random(uint64_t seed) : state(seed) {}

  uint64_t next() {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// first .. last, both included.
  int64_t integer(int64_t first, int64_t last) { return first + static_cast<int64_t>(next() % (last - first + 1)); }
  /// [-1, 1), with more values near 0 than a uniform one, as weights and activations have.
  float value() { return uniform() * uniform(); }
  float uniform() { return static_cast<float>(static_cast<int64_t>(next()) >> 40) * 0x1p-23f; }
  std::vector<float> values(int64_t count, float scale = 1) {
    std::vector<float> result(count);
    for (float &x : result)
      x = scale * value();
    return result;
  }

private:
  uint64_t state;
};

} // namespace halftone::test
