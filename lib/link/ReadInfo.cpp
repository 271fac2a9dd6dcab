// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From the section of facts to the place in the last segment that they name.
#include "lib/link/ReadInfo.h"

#include "include/halftone/model.h"
#include "lib/link/ElfHeaders.h"

#include <cstring>

namespace halftone::link {

using Facts = struct ::halftone_facts;

static Expected<Facts> readFacts(const io::MappedFile &program, const ElfHeaders &headers) {
  const auto place = headers.section(factsSection);
  if (!place || place->bytes < sizeof(Facts))
    return Error{program.path() + ": an executable, but none that halftone made: it has no section " + factsSection};
  const auto bytes = program.slice(place->offset, sizeof(Facts));
  if (!bytes)
    return bytes.error();
  Facts facts;
  std::memcpy(&facts, bytes->data(), sizeof(facts));
  if (facts.abi != HALFTONE_MODEL_ABI)
    return Error{program.path() + ": made by another version of halftone: its interface is " +
                 std::to_string(facts.abi) + ", not " + std::to_string(HALFTONE_MODEL_ABI)};
  return facts;
}

Expected<std::string_view> readInfo(const io::MappedFile &program) {
  const Expected<ElfHeaders> headers = ElfHeaders::read(program);
  if (!headers)
    return headers.error();
  const Expected<Facts> facts = readFacts(program, *headers);
  if (!facts)
    return facts.error();
  const auto segment = headers->lastSegment();
  const auto size = static_cast<uint64_t>(facts->segment_bytes), start = static_cast<uint64_t>(facts->info_offset),
             count = static_cast<uint64_t>(facts->info_bytes);
  if (!segment || segment->bytes != size)
    return Error{program.path() + ": damaged: its weights have " + std::to_string(segment ? segment->bytes : 0) +
                 " bytes, expected " + std::to_string(size)};
  if (start > size || count > size - start)
    return Error{program.path() + ": damaged: " + std::to_string(count) + " bytes of information at " +
                 std::to_string(start) + " of a segment of " + std::to_string(size)};
  const auto bytes = program.slice(segment->offset + start, count);
  if (!bytes)
    return bytes.error();
  return std::string_view(reinterpret_cast<const char *>(bytes->data()), bytes->size());
}

} // namespace halftone::link
