// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A file read through memory: models are larger than memory, so nothing is copied and pages come and go
// with use.
#pragma once

#include "lib/io/Result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace halftone::io {

/// A regular file mapped for reading, unmapped on destruction; moves, does not copy. Reading from several threads is
/// safe. The file must not shrink while mapped: the system ends a program that reads a page which is gone.
class MappedFile {
public:
  /// Maps the whole of `path`; an empty file gives an empty span. Fails when `path` is missing, unreadable or not a
  /// regular file: "stories.onnx: cannot open: No such file or directory".
  static Expected<MappedFile> open(std::string path);

  MappedFile(MappedFile &&other) noexcept;
  MappedFile &operator=(MappedFile &&other) noexcept;
  ~MappedFile();

  /// The path given to open(), as errors spell it.
  const std::string &path() const { return name; }
  uint64_t size() const { return content.size(); }
  std::span<const std::byte> bytes() const { return content; }

  /// `count` bytes from `offset`, or an error naming the file and both ends when they do not lie inside it.
  Expected<std::span<const std::byte>> slice(uint64_t offset, uint64_t count) const;

  /// Gives the whole pages inside [offset, offset + count) back to the system, so that streaming a large file keeps the
  /// peak memory small. The bytes stay readable and come from the disk again.
  void release(uint64_t offset, uint64_t count) const;

private:
  MappedFile(std::string path, std::span<const std::byte> bytes) : name(std::move(path)), content(bytes) {}
  void unmap();

  std::string name;
  std::span<const std::byte> content;
};

} // namespace halftone::io
