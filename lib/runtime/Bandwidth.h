// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How fast this machine reads memory: the limit of decode, which reads nearly all weights for every token.
#pragma once

#include "lib/runtime/Memory.h"
#include "lib/runtime/Threads.h"

namespace halftone::runtime {

/// A block of memory too large for any cache, read by some threads, each its share.
class BandwidthProbe {
public:
  /// Reserves the block and writes it once, so that it is there: 1 GiB, or a quarter of the machine's memory where that
  /// is less. Fails when memory or threads cannot be had.
  static Expected<BandwidthProbe> create(int64_t threads);

  uint64_t bytes() const { return block.size(); }
  /// Reads the first `bytes` of the block (at most all, at least some) again and again, as many times as it takes to
  /// read as much as the block has. \returns bytes per second.
  double measure(uint64_t bytes);

private:
  BandwidthProbe(Memory block, std::unique_ptr<Team> team) : block(std::move(block)), team(std::move(team)) {}

  Memory block;
  std::unique_ptr<Team> team;
};

} // namespace halftone::runtime
