// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A folder beside an output for files that are needed only until it is done. It goes away however the program ends: by
// return, by a signal, or, when killed, with the next run.
#pragma once

#include "lib/io/Result.h"

#include <cstdint>
#include <string>

namespace halftone::io {

/// A folder of plain files, removed with all of them on destruction. One at a time per process; others may stand inside
/// it, beside an output that is one of its files, and go away with it.
class WorkFolder {
public:
  /// Makes a folder `<output>.halftone-work-XXXXXX` beside `output` (a symbolic link: beside what it points to), and
  /// removes those of the same output whose program is gone. Fails, naming the output, when that folder cannot be
  /// written.
  static Expected<WorkFolder> create(const std::string &output);

  WorkFolder(WorkFolder &&other) noexcept;
  WorkFolder &operator=(WorkFolder &&other) noexcept;
  ~WorkFolder();

  const std::string &path() const { return folder; }
  /// The path of the file called `name` in the folder.
  std::string operator/(const std::string &name) const { return folder + "/" + name; }

  /// How many bytes the files of the folder have together.
  uint64_t bytes() const;

  /// Brings the finished file `name` of the folder to disk and renames it to the output, replacing it whole; or to
  /// `path` beside the output.
  Status publish(const std::string &name) const;
  Status publish(const std::string &name, const std::string &path) const;

  /// Removes the folder of this process, if there is one. Only async-signal-safe calls: for a handler of SIGINT and
  /// SIGTERM that ends the program afterwards.
  static void removeOnSignal();

private:
  WorkFolder() = default;
  void remove();

  std::string output; // as the user wrote it
  std::string target; // symbolic links resolved
  std::string folder;
  int descriptor = -1; // holds the lock that says that the program lives
};

} // namespace halftone::io
