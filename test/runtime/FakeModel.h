// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A model of a few lines behind the real ABI: its next token depends on every token and position before it, so that
// wrong chunks, padding or cache show. test_runtime.py computes the same in Python.
#pragma once

#include "lib/runtime/Facts.h"

#include <span>

namespace halftone::runtime::test {

/// The phases of the fake.
inline const Variant &fakeVariant() { return halftone_variants[0]; }

/// The first bytes of the fake's weight segment: how it behaves.
struct FakeWeights {
  int64_t delayMicroseconds = 0; ///< that each call takes
  int64_t stopAt = -1;           ///< position at which `stopToken` comes next; -1: nowhere
  int64_t stopToken = 2;
  int64_t notANumberAt = -1; ///< position whose logits are NaN
};

/// Facts that fit the fake: chunks of 4, a cache in steps of 3 positions.
Facts fakeFacts(int64_t vocabulary, int64_t context);

/// The token the fake finds likeliest after `tokens`: the sum of (place + 1) * token, modulo the vocabulary.
int64_t nextToken(std::span<const int64_t> tokens, int64_t vocabulary);

} // namespace halftone::runtime::test
