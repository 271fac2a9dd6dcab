// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One thread reads the files in their order.
#include "passes/package/SourceHashes.h"

#include "lib/io/MappedFile.h"
#include "lib/io/Sha256.h"

#include <algorithm>

namespace halftone::package {

/// How many bytes are hashed before their pages go back to the system.
static constexpr uint64_t blockSize = uint64_t{4} * 1024 * 1024;

Expected<HashedFile> hashFile(const std::string &path, const std::stop_token &stop) {
  const Expected<io::MappedFile> file = io::MappedFile::open(path);
  if (!file)
    return file.error();
  io::Sha256 hash;
  const std::span<const std::byte> bytes = file->bytes();
  for (uint64_t done = 0; done < bytes.size(); done += blockSize) {
    if (stop.stop_requested())
      return Error{path + ": hashing was given up"};
    const uint64_t count = std::min(blockSize, bytes.size() - done);
    hash.update(bytes.subspan(done, count));
    file->release(done, count);
  }
  return HashedFile{path.substr(path.rfind('/') + 1), hash.finish()};
}

SourceHashes::SourceHashes(std::vector<std::string> paths, bool background) : paths(std::move(paths)) {
  if (background)
    worker = std::jthread([this](const std::stop_token &stop) { run(stop); });
}

const Expected<std::vector<HashedFile>> &SourceHashes::get() {
  if (worker.joinable())
    worker.join();
  if (!result)
    run({});
  return *result;
}

void SourceHashes::run(const std::stop_token &stop) {
  std::vector<HashedFile> hashes;
  for (const std::string &path : paths) {
    Expected<HashedFile> hashed = hashFile(path, stop);
    if (!hashed) {
      result = hashed.error();
      return;
    }
    hashes.push_back(std::move(*hashed));
  }
  result = std::move(hashes);
}

} // namespace halftone::package
