// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One sequence of tokens going through the model: its cache, its scratch memory, its threads.
#pragma once

#include "lib/runtime/Facts.h"
#include "lib/runtime/Memory.h"
#include "lib/runtime/Threads.h"

#include <span>

namespace halftone::runtime {

/// Calls the phases of the model linked into this program. Holds no arithmetic: the phases do all of it.
class Session {
public:
  /// \param facts, \param variant must outlive the session.     \param weights the weight segment.
  /// \param context most tokens the sequence will have, 1 <= context <= facts.context.
  /// Fails when memory or threads cannot be had.
  static Expected<Session> create(const Facts &facts, const Variant &variant, const void *weights, int64_t context,
                                  int64_t threads);

  int64_t context() const { return most; }
  int64_t past() const { return position; }
  int64_t threads() const { return team->threads(); }
  /// Most tokens of a call of prefill() or score().
  int64_t chunk() const { return facts->chunk; }
  int64_t vocabulary() const { return facts->vocabulary; }

  /// Begins another sequence: forgets all tokens.
  void restart() { rewind(0); }
  /// Forgets all tokens but the first `length`, at most past().
  void rewind(int64_t length) { position = length; }
  /// Appends 1 to chunk() tokens to the sequence.
  void prefill(std::span<const int64_t> tokens);
  /// Appends one token. \returns its logits, [vocabulary], valid until the next call.
  std::span<const float> decode(int64_t token);
  /// Appends 1 to chunk() tokens. \returns the logits of each, [tokens, vocabulary], valid until the next call.
  Expected<std::span<const float>> score(std::span<const int64_t> tokens);

  /// Whom the ends of kernels are told from now on; null: nobody.
  void tell(Profile *profile) { team->tell(profile); }

private:
  Session(const Facts &facts, const Variant &variant, const void *weights, int64_t context, Memory arena, Memory cache,
          Memory logits, std::unique_ptr<Team> team);
  void call(halftone_phase *phase, std::span<const int64_t> tokens, int64_t padded);
  int64_t padded(std::span<const int64_t> tokens) const;

  const Facts *facts;
  const Variant *variant;
  const void *weights;
  int64_t most;
  Memory arena, cache, logits;
  std::unique_ptr<Team> team;
  std::vector<int64_t> buffer; // the tokens of a call, padded
  int64_t position = 0;
};

} // namespace halftone::runtime
