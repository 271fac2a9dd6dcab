// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cpuid on x86, the auxiliary vector on ARM: the only file of the runtime that knows processors.
#include "lib/runtime/Processor.h"

#include "lib/runtime/Features.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace halftone::runtime {

#if defined(__x86_64__)

/// The state the operating system saves; 0 when it does not say.
static uint64_t savedState() {
  uint32_t a, b, c, d;
  constexpr uint32_t saves = 1u << 27; // OSXSAVE
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & saves))
    return 0;
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0)); // the intrinsic would need -mxsave
  return uint64_t(high) << 32 | low;
}

std::vector<Feature> probeFeatures() {
  const uint64_t saved = savedState();
  std::vector<Feature> features;
  for (const X86Feature &row : x86Features) {
    uint32_t words[4] = {};
    const bool known = __get_cpuid_count(row.leaf, row.subleaf, &words[0], &words[1], &words[2], &words[3]);
    const bool present =
        known && (words[static_cast<int>(row.where)] >> row.bit & 1) && (saved & row.state) == row.state;
    features.push_back({row.name, row.shown, present});
  }
  return features;
}

#elif defined(__aarch64__)

std::vector<Feature> probeFeatures() {
  std::vector<Feature> features;
  for (const ArmFeature &row : armFeatures)
    features.push_back({row.name, row.shown, (getauxval(row.entry) >> row.bit & 1) != 0});
  return features;
}

#else

std::vector<Feature> probeFeatures() { return {}; }

#endif

std::vector<std::string_view> lackingFeatures(std::string_view wanted, const std::vector<Feature> &features) {
  std::vector<std::string_view> lacking;
  while (!wanted.empty()) {
    const size_t end = std::min(wanted.find(','), wanted.size());
    const std::string_view entry = wanted.substr(0, end);
    wanted.remove_prefix(std::min(end + 1, wanted.size()));
    for (const Feature &feature : features)
      if (entry.starts_with('+') && entry.substr(1) == feature.name && !feature.present)
        lacking.push_back(feature.shown);
  }
  return lacking;
}

} // namespace halftone::runtime
