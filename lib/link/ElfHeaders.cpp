// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading, extending and writing the tables of an executable [System V ABI, chapters 4 and 5].
#include "lib/link/ElfHeaders.h"

#include <algorithm>
#include <cstring>

namespace halftone::link {

/// Copies a table of `count` entries at `offset` of the file, if it lies inside.
template <class T>
static Expected<std::vector<T>> readTable(const io::MappedFile &file, uint64_t offset, uint64_t count) {
  const auto bytes = file.slice(offset, count * sizeof(T));
  if (!bytes)
    return bytes.error();
  std::vector<T> table(count);
  std::memcpy(table.data(), bytes->data(), bytes->size());
  return table;
}

/// Whether the tables are of the one kind that we link.
static bool isStaticExecutable(const Elf64_Ehdr &header) {
  return std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_ident[EI_CLASS] == ELFCLASS64 &&
         header.e_ident[EI_DATA] == ELFDATA2LSB && header.e_type == ET_EXEC &&
         header.e_phentsize == sizeof(Elf64_Phdr) && header.e_shentsize == sizeof(Elf64_Shdr) &&
         header.e_shstrndx < header.e_shnum;
}

Expected<ElfHeaders> ElfHeaders::read(const io::MappedFile &program) {
  ElfHeaders headers;
  headers.path = program.path();
  const auto header = readTable<Elf64_Ehdr>(program, 0, 1);
  if (!header)
    return header.error();
  headers.header = header->front();
  if (!isStaticExecutable(headers.header))
    return Error{program.path() + ": not a linked 64-bit little endian executable at a fixed address"};
  auto segments = readTable<Elf64_Phdr>(program, headers.header.e_phoff, headers.header.e_phnum);
  auto sections = readTable<Elf64_Shdr>(program, headers.header.e_shoff, headers.header.e_shnum);
  if (!segments || !sections)
    return segments ? sections.error() : segments.error();
  const Elf64_Shdr &names = (*sections)[headers.header.e_shstrndx];
  const auto text = program.slice(names.sh_offset, names.sh_size);
  if (!text)
    return text.error();
  headers.sectionNames.assign(reinterpret_cast<const char *>(text->data()), text->size());
  headers.segments = std::move(*segments);
  headers.sections = std::move(*sections);
  return headers;
}

std::optional<ElfHeaders::Range> ElfHeaders::section(std::string_view name) const {
  for (const Elf64_Shdr &section : sections)
    if (section.sh_name < sectionNames.size() && name == sectionNames.c_str() + section.sh_name)
      return Range{section.sh_offset, section.sh_size};
  return std::nullopt;
}

std::optional<ElfHeaders::Range> ElfHeaders::lastSegment() const {
  for (size_t i = segments.size(); i-- > 0;)
    if (segments[i].p_type == PT_LOAD)
      return Range{segments[i].p_offset, segments[i].p_filesz};
  return std::nullopt;
}

/// The first address after everything that is loaded, a multiple of the page size.
static uint64_t firstFreeAddress(const std::vector<Elf64_Phdr> &segments) {
  uint64_t end = 0;
  for (const Elf64_Phdr &segment : segments)
    if (segment.p_type == PT_LOAD)
      end = std::max(end, segment.p_vaddr + segment.p_memsz);
  return alignUp(end, segmentAlignment);
}

static Elf64_Phdr segmentEntry(uint64_t address, uint64_t offset, uint64_t bytes) {
  Elf64_Phdr entry = {};
  entry.p_type = PT_LOAD;
  entry.p_flags = PF_R;
  entry.p_offset = offset;
  entry.p_vaddr = entry.p_paddr = address + offset % segmentAlignment;
  entry.p_filesz = entry.p_memsz = bytes;
  entry.p_align = segmentAlignment;
  return entry;
}

/// The section that covers the whole of `segment`.
static Elf64_Shdr sectionEntry(uint32_t name, const Elf64_Phdr &segment) {
  Elf64_Shdr entry = {};
  entry.sh_name = name;
  entry.sh_type = SHT_PROGBITS;
  entry.sh_flags = SHF_ALLOC;
  entry.sh_addr = segment.p_vaddr;
  entry.sh_offset = segment.p_offset;
  entry.sh_size = segment.p_filesz;
  entry.sh_addralign = segment.p_align;
  return entry;
}

Status ElfHeaders::addSegment(const std::string &name, uint64_t offset, uint64_t bytes) {
  const auto isType = [](uint32_t type) { return [=](const Elf64_Phdr &entry) { return entry.p_type == type; }; };
  const auto given = std::find_if(segments.begin(), segments.end(), isType(PT_PHDR));
  if (given == segments.end())
    return Error{path + ": no PT_PHDR entry to give its place to segment '" + name + "'"};
  segments.erase(given);
  const Elf64_Phdr added = segmentEntry(firstFreeAddress(segments), offset, bytes);
  // Loaded segments stand in the order of their addresses.
  segments.insert(std::find_if(segments.rbegin(), segments.rend(), isType(PT_LOAD)).base(), added);
  sections.push_back(sectionEntry(static_cast<uint32_t>(sectionNames.size()), added));
  sectionNames += name + '\0';
  return {};
}

template <class T> static Status writeTable(io::AtomicFile &output, uint64_t offset, const std::vector<T> &table) {
  return output.writeAt(offset, table.data(), table.size() * sizeof(T));
}

Status ElfHeaders::write(io::AtomicFile &output, uint64_t end) const {
  const uint64_t table = alignUp(end + sectionNames.size(), alignof(Elf64_Shdr));
  std::vector<Elf64_Shdr> grown = sections;
  grown[header.e_shstrndx].sh_offset = end;
  grown[header.e_shstrndx].sh_size = sectionNames.size();
  Elf64_Ehdr changed = header;
  changed.e_shoff = table;
  changed.e_shnum = static_cast<uint16_t>(grown.size());
  if (Status written = output.writeAt(0, &changed, sizeof(changed)); !written)
    return written;
  if (Status written = writeTable(output, header.e_phoff, segments); !written)
    return written;
  if (Status written = output.writeAt(end, sectionNames.data(), sectionNames.size()); !written)
    return written;
  return writeTable(output, table, grown);
}

} // namespace halftone::link
