// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where threads wait for one another: a short spin for the usual case, a sleep in the kernel when it takes longer.
#pragma once

#include <atomic>
#include <cstdint>

namespace halftone::runtime {

/// A word that threads wait on to change. Waiting spins first, so that a change within microseconds costs no system
/// call.
class Signal {
public:
  uint32_t value() const { return word.load(std::memory_order_acquire); }
  /// Changes the word and wakes all who wait. What was written before is seen by those who return from waitWhile().
  void advance();
  /// Returns once the word is not `old`, after at most `spins` looks at it, then asleep.
  void waitWhile(uint32_t old, int spins);

private:
  alignas(64) std::atomic<uint32_t> word = 0;
  std::atomic<uint32_t> sleepers = 0;
};

/// A barrier for any number of rounds: the signal's value is the round, which the last to arrive advances.
class Barrier {
public:
  /// Returns once `threads` threads have called it in this round.
  void wait(uint32_t threads, int spins) {
    if (arrive(threads, spins))
      release();
  }
  /// The last of `threads` threads gets true at once, and must then call release(); the others return after that, with
  /// false.
  bool arrive(uint32_t threads, int spins);
  void release();

private:
  alignas(64) std::atomic<uint32_t> arrived = 0;
  Signal round;
};

} // namespace halftone::runtime
