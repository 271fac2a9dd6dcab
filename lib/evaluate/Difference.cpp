// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Two sums of squares.
#include "lib/evaluate/Difference.h"

#include <cmath>
#include <limits>

namespace halftone::evaluate {

void Difference::add(std::span<const float> reference, std::span<const float> values) {
  for (size_t i = 0; i < reference.size(); ++i) {
    const double want = reference[i], got = values[i];
    if (want == got || (std::isnan(want) && std::isnan(got))) {
      squares += std::isfinite(want) ? want * want : 0;
      continue;
    }
    if (!std::isfinite(want) || !std::isfinite(got)) {
      differences = std::numeric_limits<double>::infinity();
      continue;
    }
    squares += want * want;
    differences += (want - got) * (want - got);
  }
}

double Difference::relative() const {
  if (differences == 0)
    return 0;
  return squares == 0 ? std::numeric_limits<double>::infinity() : std::sqrt(differences / squares);
}

} // namespace halftone::evaluate
