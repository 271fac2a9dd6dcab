// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Mapping a file through POSIX calls.
#include "lib/io/MappedFile.h"

#include "lib/io/SystemError.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace halftone::io {

/// The bytes of the open file `descriptor`; `path` is for errors.
static Expected<std::span<const std::byte>> map(int descriptor, const std::string &path) {
  struct stat status;
  if (fstat(descriptor, &status) != 0)
    return systemError(path, "read its size", errno);
  if (!S_ISREG(status.st_mode))
    return Error{path + (S_ISDIR(status.st_mode) ? ": is a folder, not a file" : ": is not a regular file")};
  const auto size = static_cast<size_t>(status.st_size);
  if (size == 0) // mmap refuses to map nothing
    return std::span<const std::byte>();
  void *start = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (start == MAP_FAILED)
    return systemError(path, "map " + std::to_string(size) + " bytes", errno);
  return std::span(static_cast<const std::byte *>(start), size);
}

Expected<MappedFile> MappedFile::open(std::string path) {
  // O_NONBLOCK: opening a pipe would wait for its writer; regular files do not care.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    return systemError(path, "open", errno);
  Expected<std::span<const std::byte>> bytes = map(descriptor, path);
  close(descriptor);
  if (!bytes)
    return bytes.error();
  return MappedFile(std::move(path), *bytes);
}

MappedFile::MappedFile(MappedFile &&other) noexcept
    : name(std::move(other.name)), content(std::exchange(other.content, {})) {}

MappedFile &MappedFile::operator=(MappedFile &&other) noexcept {
  if (this != &other) {
    unmap();
    name = std::move(other.name);
    content = std::exchange(other.content, {});
  }
  return *this;
}

MappedFile::~MappedFile() { unmap(); }

void MappedFile::unmap() {
  if (!content.empty())
    munmap(const_cast<std::byte *>(content.data()), content.size());
}

Expected<std::span<const std::byte>> MappedFile::slice(uint64_t offset, uint64_t count) const {
  if (offset > size() || count > size() - offset)
    return Error{name + ": " + std::to_string(count) + " bytes at " + std::to_string(offset) +
                 " are wanted, the file has " + std::to_string(size())};
  return content.subspan(offset, count);
}

void MappedFile::release(uint64_t offset, uint64_t count) const {
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  if (offset >= size())
    return;
  const uint64_t end = count < size() - offset ? (offset + count) / page * page : size();
  const uint64_t start = (offset + page - 1) / page * page;
  if (start < end) // only advice: failing to follow it costs memory, not correctness
    madvise(const_cast<std::byte *>(content.data()) + start, end - start, MADV_DONTNEED);
}

} // namespace halftone::io
