// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The processor features that a binary asks for at start, and where each family of processors tells of them.
// Sources: Intel SDM volume 2A, CPUID; AMD APM volume 3, appendix E; Linux, arch/arm64 elf_hwcaps.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace halftone::runtime {

enum class Register : uint8_t { a, b, c, d };

/// A bit of what cpuid answers. LLVM's name ("avx512vnni") and the one people know from /proc/cpuinfo ("avx512_vnni").
struct X86Feature {
  std::string_view name, shown;
  uint32_t leaf, subleaf;
  Register where;
  int bit;
  /// What the operating system must save for its registers: bits of the extended control register 0.
  uint64_t state;
};

constexpr uint64_t noState = 0, vector256 = 0x6, vector512 = 0xe6, tiles = 0x60006;

constexpr X86Feature x86Features[] = {
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

/// A bit of an entry of the auxiliary vector: AT_HWCAP or AT_HWCAP2.
struct ArmFeature {
  std::string_view name, shown;
  unsigned long entry;
  int bit;
};

constexpr unsigned long hwcap = 16, hwcap2 = 26;

constexpr ArmFeature armFeatures[] = {
    {"neon", "asimd", hwcap, 1},  {"fullfp16", "asimdhp", hwcap, 10}, {"dotprod", "asimddp", hwcap, 20},
    {"sve", "sve", hwcap, 22},    {"sve2", "sve2", hwcap2, 1},        {"i8mm", "i8mm", hwcap2, 13},
    {"bf16", "bf16", hwcap2, 14}, {"sme", "sme", hwcap2, 23},
};

/// LLVM's names of the features of a family, by its name in a triple ("x86_64"); none for another family.
inline std::vector<std::string_view> featureNames(std::string_view family) {
  std::vector<std::string_view> names;
  if (family == "x86_64")
    for (const X86Feature &feature : x86Features)
      names.push_back(feature.name);
  if (family == "aarch64")
    for (const ArmFeature &feature : armFeatures)
      names.push_back(feature.name);
  return names;
}

} // namespace halftone::runtime
