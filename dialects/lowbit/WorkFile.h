// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A work file of weights: pieces of it are written from several threads.
#pragma once

#include "dialects/lowbit/Lowbit.h"
#include "lib/io/AtomicFile.h"

#include <mutex>
#include <span>

namespace halftone::lowbit {

/// Appears whole, on commit, or not at all.
class WorkFile {
public:
  /// Starts `path`, which must not be a file that a weight of `module` lies in. `pass` stands in the error when no path
  /// was given.
  static Expected<std::unique_ptr<WorkFile>> create(std::string path, mlir::ModuleOp module, llvm::StringRef pass);
  /// The same of a file that must be none of \p inputs.
  static Expected<std::unique_ptr<WorkFile>> create(std::string path, std::vector<std::string> inputs);

  /// Where the next `bytes` bytes go; a multiple of the size of a cache line.
  uint64_t reserve(uint64_t bytes);
  /// Writes into a reserved place. Safe from several threads at once.
  Status writeAt(uint64_t offset, std::span<const std::byte> bytes);
  /// Where the last reserved place ends.
  uint64_t size() const { return end; }
  Status commit() { return file.commit(); }
  const std::string &path() const { return file.path(); }

private:
  explicit WorkFile(io::AtomicFile file) : file(std::move(file)) {}

  io::AtomicFile file;
  std::mutex mutex;
  uint64_t end = 0;
};

} // namespace halftone::lowbit
