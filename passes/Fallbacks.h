// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What would be done worse than was asked for: nobody gets that without having allowed it.
#pragma once

#include "lib/io/Result.h"

#include <span>
#include <string>
#include <vector>

namespace halftone {

/// A weight, and what falls back: "bf16 by portable arithmetic, for want of avx512bf16".
struct Fallback {
  std::string weight, reason;
};

/// Fails naming the fallbacks that no pattern of `allowed`, "GLOB,GLOB", matches, and a pattern that matches none. `*`
/// allows all there are, even none.
Status checkAllowed(std::span<const Fallback> fallbacks, const std::string &allowed);

} // namespace halftone
