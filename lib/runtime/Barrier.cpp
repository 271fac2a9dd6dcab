// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The order of the atomic steps is what makes this right: a sleeper counts itself before the kernel compares the word,
// and whoever changes the word looks at that count afterwards, so that one of the two always sees the other.
#include "lib/runtime/Barrier.h"

#include <climits>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace halftone::runtime {

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t), "the kernel reads the word as it lies in memory");

static void futex(std::atomic<uint32_t> &word, int operation, uint32_t value) {
  syscall(SYS_futex, reinterpret_cast<uint32_t *>(&word), operation, value, nullptr, nullptr, 0);
}

/// Tells the processor that this is a wait, which frees it for its other hardware thread.
static void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

void Signal::advance() {
  word.fetch_add(1, std::memory_order_seq_cst);
  if (sleepers.load(std::memory_order_seq_cst) > 0)
    futex(word, FUTEX_WAKE_PRIVATE, INT_MAX);
}

void Signal::waitWhile(uint32_t old, int spins) {
  for (; spins > 0; --spins) {
    if (word.load(std::memory_order_acquire) != old)
      return;
    relax();
  }
  sleepers.fetch_add(1, std::memory_order_seq_cst);
  while (word.load(std::memory_order_seq_cst) == old)
    futex(word, FUTEX_WAIT_PRIVATE, old);
  sleepers.fetch_sub(1, std::memory_order_seq_cst);
}

bool Barrier::arrive(uint32_t threads, int spins) {
  const uint32_t current = round.value();
  if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == threads)
    return true;
  round.waitWhile(current, spins);
  return false;
}

void Barrier::release() {
  // Nobody can arrive for the next round before this one is over.
  arrived.store(0, std::memory_order_relaxed);
  round.advance();
}

} // namespace halftone::runtime
