// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Program headers and the facts about the segment, checked against one another.
#include "lib/runtime/Weights.h"

#include <cerrno>
#include <cstring>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace halftone::runtime {

/// Position independent programs are loaded elsewhere than their headers say; PT_PHDR tells by how much.
static uint64_t loadBiasOf(std::span<const Elf64_Phdr> headers) {
  for (const Elf64_Phdr &header : headers)
    if (header.p_type == PT_PHDR)
      return reinterpret_cast<uint64_t>(headers.data()) - header.p_vaddr;
  return 0;
}

Expected<std::span<const std::byte>> lastSegment(std::span<const Elf64_Phdr> headers, uint64_t loadBias) {
  const Elf64_Phdr *last = nullptr;
  for (const Elf64_Phdr &header : headers)
    if (header.p_type == PT_LOAD)
      last = &header;
  if (!last)
    return Error{"this binary has no loaded segment"};
  return std::span(reinterpret_cast<const std::byte *>(last->p_vaddr + loadBias), last->p_filesz);
}

/// Whether the byte can be read: the kernel reports a page that the file does not reach as an error instead of a
/// signal.
static bool isReadable(const std::byte *address) {
  int ends[2];
  if (pipe(ends) != 0)
    return true;
  const bool readable = write(ends[1], address, 1) == 1 || errno != EFAULT;
  close(ends[0]);
  close(ends[1]);
  return readable;
}

Expected<std::span<const std::byte>> findWeights(int64_t expectedBytes) {
  const auto *headers = reinterpret_cast<const Elf64_Phdr *>(getauxval(AT_PHDR));
  if (!headers)
    return Error{"the system does not tell where this binary's segments are"};
  const std::span<const Elf64_Phdr> all(headers, getauxval(AT_PHNUM));
  const Expected<std::span<const std::byte>> segment = lastSegment(all, loadBiasOf(all));
  if (!segment)
    return segment;
  if (segment->size() != static_cast<uint64_t>(expectedBytes))
    return Error{"this binary is damaged: its weights have " + std::to_string(segment->size()) + " bytes, expected " +
                 std::to_string(expectedBytes)};
  if (!segment->empty() && !isReadable(&segment->back()))
    return Error{"this binary is truncated: its weights should have " + std::to_string(expectedBytes) + " bytes"};
  return segment;
}

Status lockWeights(std::span<const std::byte> weights) {
  if (mlock(weights.data(), weights.size()) == 0)
    return {};
  const int code = errno;
  rlimit limit = {};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  const std::string allowed =
      limit.rlim_cur == RLIM_INFINITY ? "any number" : "at most " + std::to_string(limit.rlim_cur);
  return Error{"cannot keep " + std::to_string(weights.size()) + " bytes of weights in memory: " + strerror(code) +
               "; the system allows " + allowed + " (ulimit -l)"};
}

static std::string_view slice(std::span<const std::byte> segment, int64_t offset, int64_t bytes) {
  return {reinterpret_cast<const char *>(segment.data()) + offset, static_cast<size_t>(bytes)};
}

std::string_view tokenizerBytes(std::span<const std::byte> segment, const Facts &facts) {
  return slice(segment, facts.tokenizer_offset, facts.tokenizer_bytes);
}

std::string_view infoText(std::span<const std::byte> segment, const Facts &facts) {
  return slice(segment, facts.info_offset, facts.info_bytes);
}

} // namespace halftone::runtime
