// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What long work has finished so far, so that the same command goes on where it was killed.
#pragma once

#include "lib/io/Result.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace halftone::io {

/// A file that results are appended to, each by a name, whole or not at all: a record that was cut off, or whose bytes
/// are not those of its hash, is dropped with all after it. It lies alone in a folder, which goes away
/// with it; one without a result goes away when it is closed.
///
/// Only one program has it at a time; another one gets an empty journal that keeps nothing.
class Journal {
public:
  /// Opens `<folder>/journal`, made if missing. What is there is kept when it was written for the same `fingerprint`,
  /// 64 hexadecimal digits, and dropped otherwise. Fails when the folder or file cannot be made or read.
  static Expected<Journal> open(std::string folder, std::string_view fingerprint);

  Journal(Journal &&other) noexcept;
  Journal &operator=(Journal &&other) noexcept;
  ~Journal();

  /// How many results there are.
  size_t size() const { return places.size(); }
  bool contains(std::string_view name) const { return places.contains(name); }
  /// A result that is there. Fails when the file cannot be read.
  Expected<std::vector<std::byte>> read(std::string_view name) const;
  /// Adds a result. Fails naming path and offset: "stories.work/journal: cannot write 4096 bytes at 8192: No space left
  /// on device".
  Status append(std::string_view name, std::span<const std::byte> bytes);

  /// The work is done: removes file and folder.
  void remove();

private:
  struct Place {
    uint64_t offset = 0, bytes = 0;
  };

  Journal() = default;
  Status readRecords();
  Status start(std::string_view fingerprint);
  void close();

  std::string folder, path;
  int descriptor = -1; // -1: keeps nothing
  uint64_t end = 0;
  std::map<std::string, Place, std::less<>> places;
};

} // namespace halftone::io
