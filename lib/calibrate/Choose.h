// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Taking some of many.
#pragma once

#include "lib/runtime/Sampler.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace halftone::calibrate {

/// Leaves `wanted` of `list`, each set of so many equally likely, in their order; all when 0 are wanted [Knuth, The Art
/// of Computer Programming, volume 2, 3.4.2, algorithm S].
template <class T> void choose(std::vector<T> &list, int64_t wanted, uint64_t seed) {
  if (wanted == 0 || list.size() <= static_cast<size_t>(wanted))
    return;
  runtime::RandomGenerator random(seed);
  size_t chosen = 0;
  for (size_t i = 0; chosen < static_cast<size_t>(wanted); ++i)
    if (random.uniform() * static_cast<double>(list.size() - i) < static_cast<double>(wanted - chosen))
      std::swap(list[chosen++], list[i]);
  list.resize(chosen);
}

/// Of how many sequences in a row one is to be taken, so that of equal ones with `tokens` tokens in all those taken
/// have at most `most`; 1 when all may be.
inline size_t spacing(int64_t tokens, int64_t most) {
  most = std::max<int64_t>(most, 1);
  return std::max<int64_t>(1, (tokens + most - 1) / most);
}

} // namespace halftone::calibrate
