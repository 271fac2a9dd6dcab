// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The object file first, the executable from it.
#include "passes/package/Package.h"

#include "lib/link/Link.h"

namespace halftone::package {

/// Writes `bytes` as a whole to `path`.
static Status writeFile(const std::string &path, std::span<const char> bytes) {
  Expected<io::AtomicFile> file = io::AtomicFile::create(path);
  if (!file)
    return file.error();
  if (Status written = file->write(bytes.data(), bytes.size()); !written)
    return written;
  return file->commit();
}

Status packageExecutable(std::span<const char> object, const std::string &runtimeFolder, const SegmentSources &segment,
                         const io::WorkFolder &work, const std::string &name, const link::SegmentProgress &progress) {
  if (Status written = writeFile(work / "model.o", object); !written)
    return written;
  if (Status linked = link::linkExecutable({{work / "model.o"}, runtimeFolder, work / "linked"}); !linked)
    return linked;
  const Expected<io::MappedFile> program = io::MappedFile::open(work / "linked");
  if (!program)
    return program.error();
  Expected<io::AtomicFile> output = io::AtomicFile::create(work / name, {.mode = 0777});
  if (!output)
    return output.error();
  const link::SegmentPart parts[] = {segment.weights, segment.tokenizer, std::as_bytes(std::span(segment.info))};
  if (Status written = link::writeExecutable(*program, parts, *output, progress); !written)
    return written;
  return output->commit();
}

} // namespace halftone::package
