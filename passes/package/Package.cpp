// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Linking first, then the segment behind it.
#include "passes/package/Package.h"

#include "lib/link/Link.h"

#include <unistd.h>

namespace halftone::package {

Status packageExecutable(const io::WorkFolder &work, const std::string &object, const std::string &runtimeFolder,
                         const SegmentSources &segment, const std::string &name,
                         const link::SegmentProgress &progress) {
  const std::string linkedPath = work / "linked";
  if (Status linked = link::linkExecutable({{work / object}, runtimeFolder, linkedPath}); !linked)
    return linked;
  const Expected<io::MappedFile> program = io::MappedFile::open(linkedPath);
  if (!program)
    return program.error();
  unlink(linkedPath.c_str()); // stays readable while it is mapped
  Expected<io::AtomicFile> output = io::AtomicFile::create(work / name, {.mode = 0777, .durable = false});
  if (!output)
    return output.error();
  const link::SegmentPart parts[] = {segment.weights, segment.tokenizer, std::as_bytes(std::span(segment.info))};
  if (Status written = link::writeExecutable(*program, parts, *output, progress); !written)
    return written;
  return output->commit();
}

} // namespace halftone::package
