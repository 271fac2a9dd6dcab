// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The command line of an emitted binary: one table that is parsed by and that --help is printed from.
#pragma once

#include "lib/io/Result.h"
#include "lib/runtime/Bench.h"
#include "lib/runtime/Sampler.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace halftone::runtime {

/// What the user asked for. Sampling defaults are llama.cpp's, which users of small local models are used to.
struct Options {
  std::optional<std::string> prompt;
  std::optional<int64_t> newTokens; ///< none: until the context is full
  SamplerOptions sampler;           ///< its seed is that of `seed`
  std::optional<uint64_t> seed;     ///< none: from the time
  std::optional<int64_t> threads;   ///< none: the processors there are
  std::optional<int64_t> context;   ///< none: the model's
  std::string prompts;              ///< a file of prompts to continue; empty: there is one
  std::string logits;               ///< a file of token ids to write the logits of; empty: not asked for
  std::string output;
  std::string perplexity;        ///< a text to score; empty: not asked for
  std::string separator;         ///< of the documents in that text or of the prompts; empty: windows, lines
  std::optional<int64_t> length; ///< most scored tokens of a document or window; none: evaluate::defaultLength()
  bool lock = false;             ///< keep weights in memory
  bool bench = false;            ///< measure speed
  BenchOptions measured;         ///< what of it
  bool hasBenchOption = false;   ///< something of that was given
  bool profile = false;          ///< measure each kernel
  bool json = false;             ///< figures as JSON
  bool tokens = false;           ///< prompt and continuation are token ids
  bool info = false;
  bool help = false;
  bool version = false;
};

/// Parses the words after the program's name. Flags may stand anywhere, as "--flag value" or "--flag=value"; "--" ends
/// them; the last of several equal ones counts. Fails on unknown flags, missing, malformed and out-of-range values, two
/// prompts, and flags that exclude one another.
Expected<Options> parseOptions(std::span<const char *const> words);

/// The text of --help. \param program the name to call it by.
std::string helpText(std::string_view program);

} // namespace halftone::runtime
