// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The hashes of the files that a model is compiled from, found while the compiler works.
#pragma once

#include "lib/io/Result.h"

#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace halftone::package {

/// A file by its name, without folders, and the hash of its bytes in hexadecimal.
struct HashedFile {
  std::string name;
  std::string sha256;
};

/// Reads the whole of `path`, giving its memory back as it goes. Gives up, with an error, once `stop` asks for it.
Expected<HashedFile> hashFile(const std::string &path, const std::stop_token &stop = {});

class SourceHashes {
public:
  /// Starts to hash `paths`; without `background`, not before they are wanted.
  SourceHashes(std::vector<std::string> paths, bool background);

  /// The hashes, in the order of the paths, or the first error. Waits for them.
  const Expected<std::vector<HashedFile>> &get();

private:
  void run(const std::stop_token &stop);

  std::vector<std::string> paths;
  std::optional<Expected<std::vector<HashedFile>>> result;
  std::jthread worker; // the last member: destroyed, stopped and joined first
};

} // namespace halftone::package
