// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A file of token ids in, a file of logits out: how a compiled model is measured against others.
#pragma once

#include "lib/runtime/Session.h"

#include <string>

namespace halftone::runtime {

struct Scoring {
  int64_t tokens = 0;
  double seconds = 0; ///< in the model alone
  bool interrupted = false;
};

/// Reads token ids, an integer array [n] or [1, n], from the .npy file `ids` and writes the logits of each, float32 [n,
/// vocabulary], to `output`, chunk by chunk. No token is added in front. Fails, leaving no output, on any other shape
/// or type, no ids, more than the context holds, ids outside the vocabulary, and files that cannot be read or written.
/// When interrupted, nothing is left either.
Expected<Scoring> scoreFile(Session &session, const std::string &ids, const std::string &output, bool (*interrupted)());

} // namespace halftone::runtime
