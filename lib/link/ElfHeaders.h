// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The headers of a linked ELF executable, read to be written again with one more segment.
#pragma once

#include "lib/io/AtomicFile.h"
#include "lib/io/MappedFile.h"

#include <cstdint>
#include <elf.h>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace halftone::link {

/// The largest page of any target: a segment that starts at a multiple of it in the file shares no page, and offset and
/// address agree modulo every page size.
inline constexpr uint64_t segmentAlignment = uint64_t{64} * 1024;

constexpr uint64_t alignUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

/// What an executable's headers say: what is loaded (segments), and what tools such as strip and objdump see
/// (sections).
class ElfHeaders {
public:
  /// Reads a static, 64-bit, little endian executable at a fixed address. Fails, naming the file, for anything else.
  static Expected<ElfHeaders> read(const io::MappedFile &program);

  /// A place in the file.
  struct Range {
    uint64_t offset, bytes;
  };
  /// Where the section of that name lies, if there is one.
  std::optional<Range> section(std::string_view name) const;
  /// Where the last loaded segment lies, which addSegment added.
  std::optional<Range> lastSegment() const;

  /// Adds a read-only segment of `bytes` bytes that the file has at `offset`, in memory above everything else and
  /// congruent modulo 64 KiB, and a section of that name for the tools. There is no room to grow the table of segments,
  /// so the entry PT_PHDR, which only the loader of position independent programs reads, gives up its place; the table
  /// itself stays where it is, in the first segment, where every kernel's AT_PHDR points.
  Status addSegment(const std::string &name, uint64_t offset, uint64_t bytes);

  /// Writes the headers over those of `output`, a copy of the program; the table of sections, grown, goes to `end`.
  Status write(io::AtomicFile &output, uint64_t end) const;

private:
  std::string path;
  Elf64_Ehdr header = {};
  std::vector<Elf64_Phdr> segments;
  std::vector<Elf64_Shdr> sections;
  std::string sectionNames; // the string table that sections[i].sh_name points into
};

} // namespace halftone::link
