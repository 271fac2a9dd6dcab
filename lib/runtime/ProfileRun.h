// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where the time of a compiled model goes, kernel by kernel, and what of the machine's speed each kernel reaches.
#pragma once

#include "lib/runtime/Arithmetic.h"
#include "lib/runtime/Info.h"
#include "lib/runtime/Session.h"

#include <string>
#include <string_view>
#include <vector>

namespace halftone::runtime {

/// One phase, measured.
struct PhaseProfile {
  std::string_view name;
  int64_t tokens = 0;    ///< that went through
  int64_t positions = 0; ///< that the attention of one layer saw, summed up over calls
  int64_t calls = 0;     ///< of the phase
  std::vector<Profile::Entry> kernels;
};

struct ModelProfile {
  std::vector<PhaseProfile> phases; ///< decode of 128 tokens, prefill of 256, less where the context is shorter
  double memory = 0, reread = 0;    ///< bytes per second, as in Benchmark, the most of before and after
  std::vector<Peak> peaks;          ///< of the variant's instructions, measured before and after
  size_t variant = 0;               ///< which of the model's was run, for Kernel::dots
};

/// Runs each phase once to warm up, then with every kernel timed. Fails as bench() does.
Expected<ModelProfile> profile(Session &session, const halftone_probe *probes, size_t kernels, int64_t bytesPerToken);

/// A table for each phase, slowest kernel first: share of the time, microseconds a call, calls a token, GB/s of weights
/// and cache with their share of what the memory gives, and billions of operations a second with their share of what
/// the instruction gives.
std::string printTable(const ModelProfile &profile, const std::vector<Kernel> &kernels, int64_t threads);
/// The same figures as one object.
std::string printJson(const ModelProfile &profile, const std::vector<Kernel> &kernels, int64_t threads);

} // namespace halftone::runtime
