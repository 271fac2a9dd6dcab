// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a binary says of itself: what it was compiled from and how. Only what the inputs and options decide: no folder,
// no time, no machine.
#pragma once

#include "passes/package/SourceHashes.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace halftone::package {

/// A weight as it is stored, without what a kernel's layout adds.
struct WeightInfo {
  std::string name;
  std::vector<int64_t> shape;
  std::string format;
  int64_t bytes = 0;
};

/// What a kernel does and costs; kernels are numbered from 0.
struct KernelInfo {
  /// Where it stands, and its operations: "2 linear 768x288 int4-g32, elementwise".
  std::string function, does;
  /// Of weights, read in a call; arithmetic on each token; of the cache, read for each position.
  int64_t bytes = 0, operations = 0, positionBytes = 0;
  /// By which instruction it multiplies on each target; empty where it does not.
  std::vector<std::string> dots;
};

/// A weight whose kernel is slower than it could be, and why.
struct FallbackInfo {
  std::string weight, reason;
};

/// A processor that the model was compiled for.
struct TargetInfo {
  /// LLVM's name.
  std::string cpu;
  /// What it must have, as LLVM lists it: "+avx2,+fma".
  std::string features;
};

struct ModelInfo {
  /// The model's file first, then those of its external data.
  std::vector<HashedFile> files;
  std::optional<HashedFile> tokenizer;
  /// Names of formats, as options spell them.
  std::string format, embeddingFormat, headFormat;
  std::vector<WeightInfo> weights;
  std::vector<KernelInfo> kernels;
  std::vector<FallbackInfo> fallbacks;
  int64_t parameters = 0, context = 0;
  /// Of all packed weights, and of those that a call of decode reads.
  int64_t weightBytes = 0, decodeBytes = 0;
  std::string triple;
  /// Best first; the first that a processor has all features of runs.
  std::vector<TargetInfo> targets;
  /// The other options that change the bytes of the binary.
  std::map<std::string, std::string> options;
};

/// `info` as JSON of one object, indented for people, keys sorted, a newline at the end. Each weight is one line,
/// [name, shape, format, bytes], and each kernel, [function, does, bytes, operations, position_bytes].
std::string infoJson(const ModelInfo &info);

} // namespace halftone::package
