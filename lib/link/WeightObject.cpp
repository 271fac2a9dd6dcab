// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The file is the header, the section's bytes, the symbols, their names, the sections' names, the sections [System V
// ABI, chapter 4].
#include "lib/link/WeightObject.h"

#include "lib/link/ElfHeaders.h"

#include <array>
#include <cstring>
#include <elf.h>

namespace halftone::link {

/// Weights begin on cache lines in the file as they do in memory.
static constexpr uint64_t dataOffset = 64;
/// Of the x86-64 ABI, section 4.2.
static constexpr uint64_t largeSection = 0x10000000;

/// The header of `like`, without what it says of its tables.
static Expected<Elf64_Ehdr> headerLike(const io::MappedFile &like) {
  const Expected<std::span<const std::byte>> bytes = like.slice(0, sizeof(Elf64_Ehdr));
  if (!bytes)
    return bytes.error();
  Elf64_Ehdr header;
  std::memcpy(&header, bytes->data(), sizeof(header));
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_type != ET_REL)
    return Error{like.path() + ": not a 64-bit relocatable object"};
  return header;
}

namespace {

/// A table of names, as ELF has them: each after the one before, ended by a zero, the first one empty.
class Names {
public:
  uint32_t add(const std::string &name) {
    const auto offset = static_cast<uint32_t>(text.size());
    text += name + '\0';
    return offset;
  }
  std::string text = std::string(1, '\0');
};

enum SectionIndex { None, Data, Symbols, SymbolNames, SectionNames, NoStack, sectionCount };

} // namespace

Status writeWeightObject(const io::MappedFile &like, std::span<const SegmentPart> parts, const std::string &symbol,
                         io::AtomicFile &output, const SegmentProgress &progress) {
  Expected<Elf64_Ehdr> header = headerLike(like);
  if (!header)
    return header.error();
  const bool isLarge = header->e_machine == EM_X86_64;
  const std::vector<uint64_t> offsets = placeParts(parts);
  const uint64_t bytes = offsets.back();
  if (Status copied = copyParts(parts, offsets, dataOffset, output, progress); !copied)
    return copied;

  Names symbolNames, sectionNames;
  const std::array<Elf64_Sym, 2> symbols = {Elf64_Sym{}, Elf64_Sym{.st_name = symbolNames.add(symbol),
                                                                   .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT),
                                                                   .st_other = STV_HIDDEN,
                                                                   .st_shndx = Data,
                                                                   .st_value = 0,
                                                                   .st_size = bytes}};
  std::array<Elf64_Shdr, sectionCount> sections = {};
  uint64_t end = alignUp(dataOffset + bytes, 8);
  const auto place = [&](SectionIndex index, const char *name, uint32_t type, uint64_t offset, uint64_t size,
                         uint64_t alignment) {
    sections[index].sh_name = sectionNames.add(name);
    sections[index].sh_type = type;
    sections[index].sh_offset = offset;
    sections[index].sh_size = size;
    sections[index].sh_addralign = alignment;
  };
  place(Data, isLarge ? ".lrodata" : ".rodata", SHT_PROGBITS, dataOffset, bytes, partAlignment);
  sections[Data].sh_flags = SHF_ALLOC | (isLarge ? largeSection : 0);
  place(Symbols, ".symtab", SHT_SYMTAB, end, sizeof(symbols), 8);
  sections[Symbols].sh_link = SymbolNames;
  sections[Symbols].sh_info = 1; // the first symbol that is not local
  sections[Symbols].sh_entsize = sizeof(Elf64_Sym);
  place(SymbolNames, ".strtab", SHT_STRTAB, end += sizeof(symbols), symbolNames.text.size(), 1);
  place(NoStack, ".note.GNU-stack", SHT_PROGBITS, end, 0, 1); // needs no executable stack
  place(SectionNames, ".shstrtab", SHT_STRTAB, end += symbolNames.text.size(), 0, 1);
  sections[SectionNames].sh_size = sectionNames.text.size();
  end = alignUp(end + sectionNames.text.size(), 8);

  header->e_shoff = end;
  header->e_shnum = sectionCount;
  header->e_shstrndx = SectionNames;
  const auto write = [&](uint64_t offset, const void *data, size_t size) { return output.writeAt(offset, data, size); };
  Status written = write(0, &*header, sizeof(*header));
  if (written)
    written = write(sections[Symbols].sh_offset, symbols.data(), sizeof(symbols));
  if (written)
    written = write(sections[SymbolNames].sh_offset, symbolNames.text.data(), symbolNames.text.size());
  if (written)
    written = write(sections[SectionNames].sh_offset, sectionNames.text.data(), sectionNames.text.size());
  return written ? write(end, sections.data(), sizeof(sections)) : written;
}

} // namespace halftone::link
