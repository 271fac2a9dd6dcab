// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How fast a compiled model is, measured so that two measurements can be compared: no text, no sampler, no output, and
// the machine's own speed beside it.
#pragma once

#include "lib/io/ProgressLine.h"
#include "lib/runtime/Arithmetic.h"
#include "lib/runtime/Figures.h"
#include "lib/runtime/Session.h"

#include <vector>

namespace halftone::runtime {

/// Tokens like those of a text to the embedding: anywhere in the table, and the same in every run.
class BenchTokens {
public:
  /// Fails when a context of 1 leaves nothing to decode.
  static Expected<BenchTokens> create(const Session &session);

  /// One token, and up to 128 to decode after it.
  std::span<const int64_t> decode() const { return std::span(tokens).first(decodeCount); }
  /// Up to 256 tokens to read into an empty cache.
  std::span<const int64_t> prefill() const { return std::span(tokens).first(prefillCount); }

private:
  std::vector<int64_t> tokens;
  size_t decodeCount = 0, prefillCount = 0;
};

/// What was measured, one value a run.
struct Benchmark {
  int64_t decodeTokens = 0;            ///< decoded one by one, after one token
  int64_t prefillTokens = 0;           ///< read in chunks, into an empty cache, without logits
  std::vector<double> decode, prefill; ///< tokens per second
  std::vector<double> memory;          ///< bytes per second of reading a block larger than any cache ...
  std::vector<double> reread;          ///< ... and of reading as many bytes as a token needs, again and again
  std::vector<Peak> peaks;             ///< of the instructions that the kernels multiply by
  bool interrupted = false;
};

/// Measures decode of 128 tokens after 1 and prefill of 256 tokens, each less where the context is shorter: one run to
/// warm up, then five. The machine's limits, reading memory and the variant's probes, are measured before and after
/// each of them, with as many threads. Fails when memory or threads cannot be had, and when a context of 1 leaves
/// nothing to decode.
Expected<Benchmark> bench(Session &session, const halftone_probe *probes, int64_t bytesPerToken,
                          io::ProgressLine &progress, bool (*interrupted)());

/// What --bench prints: medians, and the range of the runs.
std::vector<Figure> figures(const Benchmark &benchmark, std::string_view format, const Facts &facts, int64_t threads);

} // namespace halftone::runtime
