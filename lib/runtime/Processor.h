// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Whether this processor has what the binary's kernels were made for, asked before the first of them runs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace halftone::runtime {

/// A processor feature by LLVM's name ("avx512vnni") and by the one people know from /proc/cpuinfo ("avx512_vnni").
struct Feature {
  std::string_view name, shown;
  bool present;
};

/// The features this processor, and the system on it, are known to have or lack.
std::vector<Feature> probeFeatures();

/// Of `wanted`, LLVM's list "+avx2,+avx512vnni,-sse4a", those in `features` that are not present, by the name shown.
/// Features that are not in the table, or not wanted, do not count.
std::vector<std::string_view> lackingFeatures(std::string_view wanted, const std::vector<Feature> &features);

} // namespace halftone::runtime
