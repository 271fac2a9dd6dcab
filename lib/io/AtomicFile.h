// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Outputs appear whole or not at all: written aside, synced, then renamed over the target. The input is
// never the output.
#pragma once

#include "lib/io/Result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace halftone::io {

struct AtomicFileOptions {
  /// Permissions of the new file before the user's umask; 0777 for an executable.
  unsigned mode = 0666;
  /// Files being read: the output may not be one of them, under whatever name (same device and inode).
  std::vector<std::string> inputs = {};
  /// Whether commit() waits until the bytes are on disk, so that they survive a loss of power. Work files need not.
  bool durable = true;
};

/// A file under construction. Until commit() the target stays as it was; without commit() nothing is left behind. Where
/// the system can (O_TMPFILE), the file has no name until then, so that even a killed program leaves nothing. Each
/// failure names the path, the offset and the system's reason: "stories: cannot write 4096 bytes at 8192: No space left
/// on device".
class AtomicFile {
public:
  /// Starts a file that will replace `path` (through a symbolic link: what it points to). Fails when the folder cannot
  /// be written, when `path` is one of the inputs, or when it exists and is not a regular file.
  static Expected<AtomicFile> create(std::string path, const AtomicFileOptions &options = {});

  AtomicFile(AtomicFile &&other) noexcept;
  AtomicFile &operator=(AtomicFile &&other) noexcept;
  ~AtomicFile();

  /// The path given to create(), as errors spell it.
  const std::string &path() const { return name; }
  /// Where the next write() goes: the bytes written in sequence so far.
  uint64_t position() const { return end; }

  /// Appends `count` bytes at position(). Not buffered: write in blocks.
  Status write(const void *data, size_t count);
  /// Writes `count` bytes at `offset`, leaving position() alone; a gap reads as zeros.
  Status writeAt(uint64_t offset, const void *data, size_t count);
  /// Moves position() up to the next multiple of `alignment`; the gap reads as zeros.
  Status padTo(uint64_t alignment);

  /// Syncs to disk (when durable) and renames over the target. Afterwards further calls fail; after a failure they give
  /// the first one again, so that of several writers each learns the cause.
  Status commit();

private:
  AtomicFile() = default;
  Status openTemporary(unsigned mode);
  Status fail(const std::string &action, int code);
  void discard();

  std::string name;      // as the user wrote it
  std::string target;    // symbolic links resolved
  std::string temporary; // empty while the file has no name
  int descriptor = -1;
  bool durable = true;
  Status state; // why nothing more can be written
  uint64_t end = 0;
};

/// Makes a file of these bytes, whole or not at all.
Status writeFile(std::string path, std::span<const std::byte> bytes);

} // namespace halftone::io
