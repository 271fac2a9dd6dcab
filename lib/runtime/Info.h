// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the binary knows about itself: the JSON in its weight segment, and the line of facts made from it.
#pragma once

#include "lib/runtime/Facts.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace halftone::runtime {

/// The value of `key` in the outermost object of `json`: a string without its quotes and escapes, a number, true, false
/// or null as written. Nothing when the key is missing, its value is an object or an array, or the text before it is no
/// JSON.
std::optional<std::string> findInJson(std::string_view json, std::string_view key);

/// What a kernel does and costs.
struct Kernel {
  std::string function, does; ///< where it stands; its operations
  /// Of weights, read in a call; arithmetic on each token; of the cache, read for each position.
  int64_t bytes = 0, operations = 0, positionBytes = 0;
  std::vector<std::string> dots; ///< the instruction that it multiplies by in each variant; empty where it does not
};

/// The kernels in a model's info, by number. Fails when it has no list of them.
Expected<std::vector<Kernel>> kernelsIn(std::string_view json);

/// What a run did, for the line of facts.
struct RunFacts {
  int64_t tokens = 0;
  double seconds = 0;
  int64_t threads = 0;
  std::optional<uint64_t> seed;
};

/// One line without its newline: "15191712 parameters, int4-g32, 5.05 bits per weight, 9876543 bytes, 200 tokens at
/// 812.3 tokens/s, 2 threads, seed 7".
std::string factsLine(const Facts &facts, std::string_view info, const RunFacts &run);

} // namespace halftone::runtime
