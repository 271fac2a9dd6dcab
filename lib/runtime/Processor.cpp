// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cpuid on x86, the auxiliary vector on ARM: the only file of the runtime that knows processors.
// Sources: Intel SDM volume 2A, CPUID; AMD APM volume 3, appendix E; Linux, arch/arm64 elf_hwcaps.
#include "lib/runtime/Processor.h"

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

namespace {

enum class Register : uint8_t { a, b, c, d };

/// What the operating system must save for a feature's registers: bits of the extended control register 0.
constexpr uint64_t noState = 0, vector256 = 0x6, vector512 = 0xe6, tiles = 0x60006;

struct Row {
  std::string_view name, shown;
  uint32_t leaf, subleaf;
  Register where;
  int bit;
  uint64_t state;
};

constexpr Row rows[] = {
    {"sse3", "pni", 1, 0, Register::c, 0, noState},
    {"ssse3", "ssse3", 1, 0, Register::c, 9, noState},
    {"cx16", "cx16", 1, 0, Register::c, 13, noState},
    {"sse4.1", "sse4_1", 1, 0, Register::c, 19, noState},
    {"sse4.2", "sse4_2", 1, 0, Register::c, 20, noState},
    {"movbe", "movbe", 1, 0, Register::c, 22, noState},
    {"popcnt", "popcnt", 1, 0, Register::c, 23, noState},
    {"fma", "fma", 1, 0, Register::c, 12, vector256},
    {"avx", "avx", 1, 0, Register::c, 28, vector256},
    {"f16c", "f16c", 1, 0, Register::c, 29, vector256},
    {"bmi", "bmi1", 7, 0, Register::b, 3, noState},
    {"avx2", "avx2", 7, 0, Register::b, 5, vector256},
    {"bmi2", "bmi2", 7, 0, Register::b, 8, noState},
    {"avx512f", "avx512f", 7, 0, Register::b, 16, vector512},
    {"avx512dq", "avx512dq", 7, 0, Register::b, 17, vector512},
    {"avx512ifma", "avx512ifma", 7, 0, Register::b, 21, vector512},
    {"avx512cd", "avx512cd", 7, 0, Register::b, 28, vector512},
    {"avx512bw", "avx512bw", 7, 0, Register::b, 30, vector512},
    {"avx512vl", "avx512vl", 7, 0, Register::b, 31, vector512},
    {"avx512vbmi", "avx512vbmi", 7, 0, Register::c, 1, vector512},
    {"avx512vbmi2", "avx512_vbmi2", 7, 0, Register::c, 6, vector512},
    {"gfni", "gfni", 7, 0, Register::c, 8, noState},
    {"avx512vnni", "avx512_vnni", 7, 0, Register::c, 11, vector512},
    {"avx512bitalg", "avx512_bitalg", 7, 0, Register::c, 12, vector512},
    {"avx512vpopcntdq", "avx512_vpopcntdq", 7, 0, Register::c, 14, vector512},
    {"amx-bf16", "amx_bf16", 7, 0, Register::d, 22, tiles},
    {"avx512fp16", "avx512_fp16", 7, 0, Register::d, 23, vector512},
    {"amx-tile", "amx_tile", 7, 0, Register::d, 24, tiles},
    {"amx-int8", "amx_int8", 7, 0, Register::d, 25, tiles},
    {"avxvnni", "avx_vnni", 7, 1, Register::a, 4, vector256},
    {"avx512bf16", "avx512_bf16", 7, 1, Register::a, 5, vector512},
    {"avxvnniint8", "avx_vnni_int8", 7, 1, Register::d, 4, vector256},
    {"lzcnt", "abm", 0x80000001, 0, Register::c, 5, noState},
};

} // namespace

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
  for (const Row &row : rows) {
    uint32_t words[4] = {};
    const bool known = __get_cpuid_count(row.leaf, row.subleaf, &words[0], &words[1], &words[2], &words[3]);
    const bool present =
        known && (words[static_cast<int>(row.where)] >> row.bit & 1) && (saved & row.state) == row.state;
    features.push_back({row.name, row.shown, present});
  }
  return features;
}

#elif defined(__aarch64__)

namespace {
struct Row {
  std::string_view name, shown;
  unsigned long vector; // AT_HWCAP or AT_HWCAP2
  int bit;
};

constexpr Row rows[] = {
    {"neon", "asimd", AT_HWCAP, 1},  {"fullfp16", "asimdhp", AT_HWCAP, 10}, {"dotprod", "asimddp", AT_HWCAP, 20},
    {"sve", "sve", AT_HWCAP, 22},    {"sve2", "sve2", AT_HWCAP2, 1},        {"i8mm", "i8mm", AT_HWCAP2, 13},
    {"bf16", "bf16", AT_HWCAP2, 14}, {"sme", "sme", AT_HWCAP2, 23},
};
} // namespace

std::vector<Feature> probeFeatures() {
  std::vector<Feature> features;
  for (const Row &row : rows)
    features.push_back({row.name, row.shown, (getauxval(row.vector) >> row.bit & 1) != 0});
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
