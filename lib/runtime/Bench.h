// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How fast a compiled model is, measured so that two measurements can be compared: no text, no sampler, no output, and
// the machine's own speed beside it.
#pragma once

#include "lib/io/ProgressLine.h"
#include "lib/runtime/Arithmetic.h"
#include "lib/runtime/Figures.h"
#include "lib/runtime/Session.h"

#include <optional>
#include <vector>

namespace halftone::runtime {

/// How much is measured. What is not given is 128 tokens decoded after 1 and 256 tokens read, each less where the
/// context is shorter.
struct BenchOptions {
  std::optional<int64_t> depth, decode, prefill; ///< tokens
  int64_t runs = 5;
};

/// Tokens like those of a text to the embedding: anywhere in the table, and the same in every run.
class BenchTokens {
public:
  /// Fails when a context of 1 leaves nothing to decode, and when one does not hold what was given.
  static Expected<BenchTokens> create(const Session &session, const BenchOptions &options = {});

  /// What is in the cache before.
  std::span<const int64_t> before() const { return std::span(tokens).first(depthCount); }
  /// What is decoded after that.
  std::span<const int64_t> decode() const { return std::span(tokens).subspan(depthCount, decodeCount); }
  /// What is read into an empty cache.
  std::span<const int64_t> prefill() const { return std::span(tokens).first(prefillCount); }

private:
  std::vector<int64_t> tokens;
  size_t depthCount = 0, decodeCount = 0, prefillCount = 0;
};

/// What was measured, one value a run.
struct Benchmark {
  int64_t depth = 0, decodeTokens = 0; ///< decoded one by one, after `depth` tokens
  int64_t prefillTokens = 0;           ///< read in chunks, into an empty cache, without logits
  std::vector<double> decode, prefill; ///< tokens per second
  std::vector<double> memory;          ///< bytes per second of reading a block larger than any cache ...
  std::vector<double> reread;          ///< ... and of reading as many bytes as a token needs, again and again
  std::vector<Peak> peaks;             ///< of the instructions that the kernels multiply by
  bool interrupted = false;
};

/// Measures decode and prefill: one run to warm up, then as many as are wanted. The machine's limits, reading memory
/// and the variant's probes, are measured before and after each of them, with as many threads. Fails when memory or
/// threads cannot be had, and as BenchTokens::create does.
Expected<Benchmark> bench(Session &session, const BenchOptions &options, const halftone_probe *probes,
                          int64_t bytesPerToken, io::ProgressLine &progress, bool (*interrupted)());

/// What --bench prints: medians, and the range of the runs.
std::vector<Figure> figures(const Benchmark &benchmark, std::string_view format, const Facts &facts, int64_t threads);

} // namespace halftone::runtime
