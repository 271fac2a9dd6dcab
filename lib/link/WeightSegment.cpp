// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The file is the linked program, the parts of the segment block by block, and the headers that name both.
#include "lib/link/WeightSegment.h"

#include "lib/link/ElfHeaders.h"

#include <algorithm>
#include <cstring>

namespace halftone::link {

/// How many bytes are copied at a time.
static constexpr uint64_t blockSize = uint64_t{4} * 1024 * 1024;

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

std::vector<uint64_t> placeParts(std::span<const SegmentPart> parts) {
  std::vector<uint64_t> sizes;
  for (const SegmentPart &part : parts)
    sizes.push_back(part.bytes().size());
  return partOffsets(sizes);
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

Status copyParts(std::span<const SegmentPart> parts, std::span<const uint64_t> offsets, uint64_t start,
                 io::AtomicFile &output, const SegmentProgress &progress) {
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto report = [&](uint64_t done) {
      if (progress)
        progress(offsets[i] + done);
    };
    if (Status copied = copyPart(parts[i], start + offsets[i], output, report); !copied)
      return copied;
  }
  return {};
}

Status writeExecutable(const io::MappedFile &program, std::span<const SegmentPart> parts, io::AtomicFile &output,
                       const SegmentProgress &progress) {
  Expected<ElfHeaders> headers = ElfHeaders::read(program);
  if (!headers)
    return headers.error();
  const std::vector<uint64_t> offsets = placeParts(parts);
  const uint64_t start = alignUp(program.size(), segmentAlignment);
  if (Status added = headers->addSegment(".halftone.weights", start, offsets.back()); !added)
    return added;
  if (Status written = output.write(program.bytes().data(), program.size()); !written)
    return written;
  if (Status copied = copyParts(parts, offsets, start, output, progress); !copied)
    return copied;
  return headers->write(output, start + offsets.back());
}

} // namespace halftone::link
