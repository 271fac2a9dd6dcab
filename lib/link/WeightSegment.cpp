// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Adding a segment to a linked ELF file means giving it a program header. There is no room to grow that table, so the
// entry PT_PHDR, which only the loader of position independent programs reads, gives up its place; the table itself
// stays where it is, in the first segment, where every kernel's AT_PHDR points.
#include "lib/link/WeightSegment.h"

#include <algorithm>
#include <cstring>
#include <elf.h>

namespace halftone::link {

/// The largest page of any target: offset and address agree modulo every page size.
static constexpr uint64_t segmentAlignment = 64 * 1024;

/// How many bytes are copied at a time.
static constexpr uint64_t blockSize = 4 * 1024 * 1024;

static uint64_t alignUp(uint64_t value, uint64_t alignment) { return (value + alignment - 1) / alignment * alignment; }

void SegmentPart::release(uint64_t offset, uint64_t count) const {
  if (file)
    file->release(offset, count);
}

std::vector<uint64_t> partOffsets(std::span<const uint64_t> sizes) {
  std::vector<uint64_t> offsets;
  uint64_t end = 0;
  for (const uint64_t size : sizes) {
    offsets.push_back(alignUp(end, partAlignment));
    end = offsets.back() + size;
  }
  offsets.push_back(end);
  return offsets;
}

/// The program headers of a static 64-bit little endian executable, checked to lie inside the file.
struct ProgramHeaders {
  uint64_t offset = 0; // of the table in the file
  std::vector<Elf64_Phdr> table;
};

static Expected<ProgramHeaders> readProgramHeaders(const io::MappedFile &program) {
  const Error malformed{program.path() + ": not a linked 64-bit little endian executable at a fixed address"};
  Elf64_Ehdr header;
  if (program.size() < sizeof(header))
    return malformed;
  std::memcpy(&header, program.bytes().data(), sizeof(header));
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_type != ET_EXEC || header.e_phentsize != sizeof(Elf64_Phdr))
    return malformed;
  const auto bytes = program.slice(header.e_phoff, uint64_t{header.e_phnum} * sizeof(Elf64_Phdr));
  if (!bytes)
    return bytes.error();
  ProgramHeaders headers{header.e_phoff, std::vector<Elf64_Phdr>(header.e_phnum)};
  std::memcpy(headers.table.data(), bytes->data(), bytes->size());
  return headers;
}

/// The header of a segment of `bytes` bytes that the file has at `offset`, in memory above everything in `table`.
static Elf64_Phdr segmentHeader(const std::vector<Elf64_Phdr> &table, uint64_t offset, uint64_t bytes) {
  uint64_t end = 0;
  for (const Elf64_Phdr &entry : table)
    if (entry.p_type == PT_LOAD)
      end = std::max(end, entry.p_vaddr + entry.p_memsz);
  Elf64_Phdr header = {};
  header.p_type = PT_LOAD;
  header.p_flags = PF_R;
  header.p_offset = offset;
  header.p_vaddr = header.p_paddr = alignUp(end, segmentAlignment);
  header.p_filesz = header.p_memsz = bytes;
  header.p_align = segmentAlignment;
  return header;
}

/// Puts `added` after the last PT_LOAD of `table` (they must ascend), in the place that PT_PHDR gives up.
static bool replaceProgramHeader(std::vector<Elf64_Phdr> &table, const Elf64_Phdr &added) {
  const auto isType = [](uint32_t type) { return [=](const Elf64_Phdr &entry) { return entry.p_type == type; }; };
  const auto given = std::find_if(table.begin(), table.end(), isType(PT_PHDR));
  if (given == table.end())
    return false;
  table.erase(given);
  table.insert(std::find_if(table.rbegin(), table.rend(), isType(PT_LOAD)).base(), added);
  return true;
}

static bool isZero(std::span<const std::byte> bytes) {
  return bytes.empty() ||
         (bytes[0] == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

/// Copies `part` to `start` of the file, block by block.
static Status copyPart(const SegmentPart &part, uint64_t start, io::AtomicFile &output,
                       const std::function<void(uint64_t)> &progress) {
  const std::span<const std::byte> bytes = part.bytes();
  for (uint64_t done = 0; done < bytes.size(); done += blockSize) {
    const std::span<const std::byte> block = bytes.subspan(done, std::min(blockSize, bytes.size() - done));
    if (!isZero(block))
      if (Status written = output.writeAt(start + done, block.data(), block.size()); !written)
        return written;
    part.release(done, block.size());
    progress(done + block.size());
  }
  return {};
}

/// Copies all parts to the segment at `start` of the file, and makes the file as long as they are.
static Status copyParts(std::span<const SegmentPart> parts, std::span<const uint64_t> offsets, uint64_t start,
                        io::AtomicFile &output, const SegmentProgress &progress) {
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto report = [&](uint64_t done) {
      if (progress)
        progress(offsets[i] + done);
    };
    if (Status copied = copyPart(parts[i], start + offsets[i], output, report); !copied)
      return copied;
  }
  const std::byte last = parts.empty() || parts.back().bytes().empty() ? std::byte{0} : parts.back().bytes().back();
  return offsets.back() == 0 ? Status() : output.writeAt(start + offsets.back() - 1, &last, 1);
}

Status writeExecutable(const io::MappedFile &program, std::span<const SegmentPart> parts, io::AtomicFile &output,
                       const SegmentProgress &progress) {
  Expected<ProgramHeaders> headers = readProgramHeaders(program);
  if (!headers)
    return headers.error();
  std::vector<uint64_t> sizes;
  for (const SegmentPart &part : parts)
    sizes.push_back(part.bytes().size());
  const std::vector<uint64_t> offsets = partOffsets(sizes);
  const uint64_t start = alignUp(program.size(), segmentAlignment);
  std::vector<Elf64_Phdr> &table = headers->table;
  if (!replaceProgramHeader(table, segmentHeader(table, start, offsets.back())))
    return Error{program.path() + ": no PT_PHDR entry to give its place to the weight segment"};
  if (Status written = output.write(program.bytes().data(), program.size()); !written)
    return written;
  if (Status written = output.writeAt(headers->offset, table.data(), table.size() * sizeof(Elf64_Phdr)); !written)
    return written;
  return copyParts(parts, offsets, start, output, progress);
}

} // namespace halftone::link
