// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Many prompts, several of them at a time.
#pragma once

#include "lib/runtime/Generate.h"
#include "lib/runtime/Prompt.h"

namespace halftone::runtime {

/// Takes texts in the order of their prompts, one call at a time.
class BatchSink {
public:
  virtual ~BatchSink() = default;
  virtual Status put(const Prompt &prompt, std::span<const int64_t> continuation) = 0;
  /// Nobody reads any more.
  virtual bool closed() const = 0;
};

struct BatchOptions {
  GenerateOptions generate;
  /// That of the first prompt; each following one has the seed of the one before plus 1.
  SamplerOptions sampler;
  int64_t context = 0;
  int64_t threads = 1;
};

/// Continues each prompt as generate() would. One sequence decodes as fast as the weights are read, so the threads are
/// split among sequences rather than within one; what is written depends neither on that nor on their number. Sums of
/// tokens are returned, and the seconds from the first to the last. When interrupted, and when a prompt fails, only
/// finished texts have been put; the error begins with the prompt's number.
Expected<Generation> generateAll(const Facts &facts, const Variant &variant, const void *weights,
                                 std::span<const Prompt> prompts, const BatchOptions &options, BatchSink &sink);

} // namespace halftone::runtime
