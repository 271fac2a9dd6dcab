// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The weight segment: the last thing an executable loads, read only, streamed into the file after linking. The linker
// never sees it, so it may be larger than what relocations reach and than memory.
#pragma once

#include "lib/io/AtomicFile.h"
#include "lib/io/MappedFile.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace halftone::link {

/// Every part of the segment starts at a multiple of this many bytes from its start.
inline constexpr uint64_t partAlignment = 64;

/// Some bytes of the segment: in memory, or a file of any size, whose pages go back to the system once copied. Refers
/// to what it was made from.
class SegmentPart {
public:
  SegmentPart(std::span<const std::byte> bytes) : content(bytes) {}
  SegmentPart(const io::MappedFile &file) : content(file.bytes()), file(&file) {}

  std::span<const std::byte> bytes() const { return content; }
  /// Forgets the pages of [offset, offset + count), if they come from a file.
  void release(uint64_t offset, uint64_t count) const;

private:
  std::span<const std::byte> content;
  const io::MappedFile *file = nullptr;
};

/// Where parts of these sizes start, in bytes from the start of the segment; one more entry gives the segment's size.
/// The one place that knows: the facts compiled into the model and the writer below both ask here.
std::vector<uint64_t> partOffsets(std::span<const uint64_t> sizes);

/// The same for parts that are there.
std::vector<uint64_t> placeParts(std::span<const SegmentPart> parts);

/// Told after each block how many bytes of the segment are written.
using SegmentProgress = std::function<void(uint64_t written)>;

/// Copies `parts` to `start` of `output`, each where `offsets`, what placeParts gave, says, block by block. Blocks of
/// zeros become holes of the file.
Status copyParts(std::span<const SegmentPart> parts, std::span<const uint64_t> offsets, uint64_t start,
                 io::AtomicFile &output, const SegmentProgress &progress);

/// Writes `program`, a linked static executable, to `output`, and `parts` after it, as a last, read-only segment that
/// the running program finds through its program headers (AT_PHDR: no /proc, no open file). The segment starts at a
/// multiple of 64 KiB in the file and in memory, whatever the page size. Does not
/// commit `output`. Errors name the program's file or the output's.
Status writeExecutable(const io::MappedFile &program, std::span<const SegmentPart> parts, io::AtomicFile &output,
                       const SegmentProgress &progress = {});

} // namespace halftone::link
