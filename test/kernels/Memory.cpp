// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One file without a name, a hole for all that is not in use; addresses are given once.
#include "test/kernels/Memory.h"

#include <cstdlib>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>

namespace halftone::test {

namespace {
/// Far from where programs and their libraries are put, in processes of any family.
constexpr uint64_t firstAddress = uint64_t(1) << 45, mostBytes = uint64_t(1) << 42;

struct Arena {
  int file = memfd_create("kernels_test", 0);
  size_t page = sysconf(_SC_PAGESIZE);
  std::mutex mutex;
  uint64_t used = 0;
  std::map<uint64_t, Mapping> mappings;

  Arena() {
    if (file < 0 || ftruncate(file, mostBytes) != 0)
      std::abort();
  }
};

Arena &arena() {
  static Arena *const arena = new Arena; // outlives every memory
  return *arena;
}
} // namespace

Memory::Memory(size_t bytes, size_t alignment) : bytes(bytes) {
  Arena &all = arena();
  const std::lock_guard lock(all.mutex);
  const uint64_t size = (bytes + alignment + all.page - 1) / all.page * all.page;
  mapping = {firstAddress + all.used, all.used, size};
  all.used += size + all.page; // nothing is mapped behind it
  void *const wanted = reinterpret_cast<void *>(mapping.address);
  if (mmap(wanted, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, all.file,
           static_cast<off_t>(mapping.offset)) != wanted)
    std::abort();
  all.mappings[mapping.address] = mapping;
  begin = reinterpret_cast<std::byte *>(mapping.address) + (size - bytes) / alignment * alignment;
  std::memset(begin, 0xff, bytes);
}

Memory::~Memory() {
  if (!begin)
    return;
  Arena &all = arena();
  const std::lock_guard lock(all.mutex);
  all.mappings.erase(mapping.address);
  munmap(reinterpret_cast<void *>(mapping.address), mapping.bytes);
  fallocate(all.file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(mapping.offset),
            static_cast<off_t>(mapping.bytes));
}

std::vector<Mapping> Memory::all() {
  Arena &all = arena();
  const std::lock_guard lock(all.mutex);
  std::vector<Mapping> mappings;
  for (const auto &[address, mapping] : all.mappings)
    mappings.push_back(mapping);
  return mappings;
}

int Memory::file() { return arena().file; }

} // namespace halftone::test
