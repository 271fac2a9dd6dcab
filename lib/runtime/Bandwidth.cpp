// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A loop that leaves the processor nothing to wait for but memory.
#include "lib/runtime/Bandwidth.h"

#include "lib/runtime/Clock.h"

#include <algorithm>
#include <sys/sysinfo.h>

namespace halftone::runtime {

/// What any processor of the family has in one register, and what memory hands over at a time.
using Vector = uint64_t __attribute__((vector_size(16)));
static constexpr uint64_t lineBytes = 64, vectorsPerLine = lineBytes / sizeof(Vector);

/// Each thread reads so many places at once: a hardware prefetcher follows one stream within one page only, so several
/// keep more lines on their way. The loop asks for each line 4 KiB, a page, ahead, as the kernels do. Where one stream,
/// compiled for the machine (test/bench/bandwidth.c), read 25.5 GB/s of memory and 60 GB/s of a cache with two threads,
/// this read 32 and 57.
static constexpr uint64_t streams = 4, bytesAhead = 4096;

/// Larger than any processor's cache.
static constexpr uint64_t mostBytes = uint64_t(1) << 30;

namespace {
/// A number of rounds over a block's first `stride` * streams * threads bytes.
struct Reading {
  const std::byte *block;
  uint64_t stride; ///< bytes of one stream
  uint64_t rounds;
};
} // namespace

static volatile uint64_t sink; // so that nothing read is optimized away

static Vector readStreams(const std::byte *first, uint64_t stride) {
  Vector sums[streams] = {};
  for (uint64_t place = 0; place < stride; place += lineBytes)
    for (uint64_t stream = 0; stream < streams; ++stream) {
      const std::byte *line = first + stream * stride + place;
      __builtin_prefetch(line + bytesAhead);
      for (uint64_t vector = 0; vector < vectorsPerLine; ++vector)
        sums[stream] += reinterpret_cast<const Vector *>(line)[vector];
    }
  Vector sum = {};
  for (const Vector &part : sums)
    sum += part;
  return sum;
}

static void read(void *argument, int64_t thread) {
  const Reading &reading = *static_cast<const Reading *>(argument);
  Vector sum = {};
  for (uint64_t round = 0; round < reading.rounds; ++round)
    sum += readStreams(reading.block + static_cast<uint64_t>(thread) * streams * reading.stride, reading.stride);
  sink = sum[0] + sum[1];
}

static uint64_t blockBytes() {
  struct sysinfo machine = {};
  if (sysinfo(&machine) != 0 || machine.totalram == 0)
    return mostBytes;
  return std::min<uint64_t>(mostBytes, static_cast<uint64_t>(machine.totalram) * machine.mem_unit / 4);
}

namespace {
/// A block to be written, by each thread its share.
struct Writing {
  uint64_t *words;
  uint64_t count;
  int64_t threads;
};
} // namespace

/// Memory that was never written is one page of zeros many times over, and lies in the cache.
static void write(void *argument, int64_t thread) {
  const Writing &writing = *static_cast<const Writing *>(argument);
  const uint64_t share = writing.count / static_cast<uint64_t>(writing.threads);
  const uint64_t first = static_cast<uint64_t>(thread) * share;
  const uint64_t last = thread + 1 == writing.threads ? writing.count : first + share;
  for (uint64_t word = first; word < last; ++word)
    writing.words[word] = word;
}

Expected<BandwidthProbe> BandwidthProbe::create(int64_t threads) {
  Expected<Memory> block = Memory::allocate(blockBytes(), "memory to read");
  if (!block)
    return block.error();
  Expected<std::unique_ptr<Team>> team = Team::create(threads);
  if (!team)
    return team.error();
  Writing writing{static_cast<uint64_t *>(block->data()), block->size() / sizeof(uint64_t), threads};
  (*team)->run(write, &writing);
  return BandwidthProbe(std::move(*block), std::move(*team));
}

double BandwidthProbe::measure(uint64_t bytes) {
  // The last line asks for one beyond its stream: prefetching never faults.
  const uint64_t parts = streams * static_cast<uint64_t>(team->threads());
  const uint64_t stride = std::max(std::min(bytes, block.size()) / parts / lineBytes, uint64_t(1)) * lineBytes;
  const uint64_t perRound = stride * parts;
  Reading reading{static_cast<const std::byte *>(block.data()), stride, (block.size() + perRound - 1) / perRound};
  const double before = now();
  team->run(read, &reading);
  return static_cast<double>(perRound * reading.rounds) / (now() - before);
}

} // namespace halftone::runtime
