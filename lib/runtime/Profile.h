// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How long each kernel takes, told by the barriers that end them.
#pragma once

#include "lib/runtime/Clock.h"

#include <cstdint>
#include <vector>

namespace halftone::runtime {

/// Time by kernel number. Of a team, one thread at a time calls it.
class Profile {
public:
  struct Entry {
    int64_t calls = 0;
    double seconds = 0;
  };

  /// \param kernels numbers are below it; others are not counted.
  explicit Profile(size_t kernels) : all(kernels) {}

  /// A call of a phase begins.
  void begin() { last = now(); }
  /// Kernel number `site` has ended, on all threads; the next one begins.
  void end(int64_t site) {
    const double time = now();
    if (site >= 0 && static_cast<size_t>(site) < all.size()) {
      ++all[static_cast<size_t>(site)].calls;
      all[static_cast<size_t>(site)].seconds += time - last;
    }
    last = time;
  }
  const std::vector<Entry> &entries() const { return all; }

private:
  std::vector<Entry> all;
  double last = 0;
};

} // namespace halftone::runtime
