// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sizes that later code multiplies and adds without asking again.
#include "lib/runtime/Facts.h"

namespace halftone::runtime {

static bool liesInside(int64_t offset, int64_t bytes, int64_t size) {
  return offset >= 0 && bytes >= 0 && offset <= size && bytes <= size - offset;
}

Status checkFacts(const Facts &facts) {
  if (facts.abi != HALFTONE_MODEL_ABI)
    return Error{"the model was compiled for ABI " + std::to_string(facts.abi) + ", this runtime has " +
                 std::to_string(HALFTONE_MODEL_ABI)};
  const struct {
    const char *name;
    int64_t value, least;
  } sizes[] = {{"vocabulary", facts.vocabulary, 1},
               {"context", facts.context, 1},
               {"chunk", facts.chunk, 1},
               {"token_step", facts.token_step, 1},
               {"arena_bytes", facts.arena_bytes, 0},
               {"cache_positions", facts.cache_positions, 1},
               {"cache_bytes", facts.cache_bytes, 0},
               {"segment_bytes", facts.segment_bytes, 0}};
  constexpr int64_t most = int64_t(1) << 48; // beyond any address; sums and products of a few cannot overflow unseen
  for (const auto &size : sizes)
    if (size.value < size.least || size.value > most)
      return Error{std::string("the model's facts are damaged: ") + size.name + " is " + std::to_string(size.value)};
  if (facts.chunk % facts.token_step != 0)
    return Error{"the model's facts are damaged: token_step is " + std::to_string(facts.token_step) + ", chunk " +
                 std::to_string(facts.chunk)};
  if (!liesInside(facts.tokenizer_offset, facts.tokenizer_bytes, facts.segment_bytes))
    return Error{"the model's facts are damaged: the tokenizer lies outside the weight segment"};
  if (!liesInside(facts.info_offset, facts.info_bytes, facts.segment_bytes))
    return Error{"the model's facts are damaged: the info lies outside the weight segment"};
  return {};
}

} // namespace halftone::runtime
