// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sequences lie one behind the other in the file; values go straight from and to the caller's memory.
#include "lib/calibrate/SpillFile.h"

#include "lib/io/SystemError.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace halftone::calibrate {

static constexpr uint64_t valueBytes = sizeof(float);

Expected<SpillFile> SpillFile::create(std::string path, std::span<const int64_t> tokens, int64_t channels,
                                      uint64_t memory) {
  SpillFile result;
  result.name = std::move(path);
  result.width = channels;
  for (const int64_t count : tokens) {
    const auto elements = static_cast<uint64_t>(count * channels);
    const bool inMemory = result.spilled == 0 && elements * valueBytes <= memory - result.kept;
    result.places.push_back({elements, result.spilled, inMemory, /*isWritten=*/false, {}});
    (inMemory ? result.kept : result.spilled) += elements * valueBytes;
  }
  if (result.spilled > 0)
    if (Status opened = result.open(); !opened)
      return opened.error();
  return result;
}

/// Makes the file, takes its name away, and reserves its space.
Status SpillFile::open() {
  descriptor = ::open(name.c_str(), O_CREAT | O_TRUNC | O_NOFOLLOW | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor < 0)
    return io::systemError(name, "create", errno);
  unlink(name.c_str());
  int code = EINTR;
  while (code == EINTR)
    code = fallocate(descriptor, 0, 0, static_cast<off_t>(spilled)) == 0 ? 0 : errno;
  if (code == 0 || code == EOPNOTSUPP || code == ENOSYS)
    return {};
  return io::systemError(name, "reserve " + std::to_string(spilled) + " bytes", code);
}

SpillFile::SpillFile(SpillFile &&other) noexcept
    : name(std::move(other.name)), descriptor(std::exchange(other.descriptor, -1)), width(other.width),
      kept(other.kept), spilled(other.spilled), places(std::move(other.places)) {}

SpillFile &SpillFile::operator=(SpillFile &&other) noexcept {
  std::swap(name, other.name);
  std::swap(descriptor, other.descriptor);
  std::swap(width, other.width);
  std::swap(kept, other.kept);
  std::swap(spilled, other.spilled);
  std::swap(places, other.places);
  return *this;
}

SpillFile::~SpillFile() {
  if (descriptor >= 0)
    close(descriptor);
}

Status SpillFile::check(int64_t sequence, uint64_t elements) const {
  const uint64_t wanted = places[sequence].elements;
  if (elements == wanted)
    return {};
  return Error{name + ": sequence " + std::to_string(sequence) + " has " + std::to_string(wanted) + " values, " +
               std::to_string(elements) + " are given"};
}

Status SpillFile::write(int64_t sequence, std::span<const float> values) {
  if (Status checked = check(sequence, values.size()); !checked)
    return checked;
  Place &place = places[sequence];
  if (place.inMemory)
    place.values.assign(values.begin(), values.end());
  else if (Status written = writeAt(place.offset, std::as_bytes(values)); !written)
    return written;
  place.isWritten = true;
  return {};
}

Status SpillFile::read(int64_t sequence, std::span<float> values) const {
  if (Status checked = check(sequence, values.size()); !checked)
    return checked;
  const Place &place = places[sequence];
  if (!place.isWritten)
    return Error{name + ": sequence " + std::to_string(sequence) + " is read before it was written"};
  if (!place.inMemory)
    return readAt(place.offset, std::as_writable_bytes(values));
  std::ranges::copy(place.values, values.begin());
  return {};
}

/// "write 4096 bytes at 8192"
static std::string describe(const char *action, size_t count, uint64_t offset) {
  return std::string(action) + " " + std::to_string(count) + " bytes at " + std::to_string(offset);
}

Status SpillFile::writeAt(uint64_t offset, std::span<const std::byte> bytes) const {
  const uint64_t begin = offset, count = bytes.size();
  while (!bytes.empty()) {
    const ssize_t written = pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return io::systemError(name, describe("write", bytes.size(), offset), written < 0 ? errno : EIO);
    bytes = bytes.subspan(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  // Pages that are on their way to the disk can be dropped when they have been read; without, they stay until the
  // system needs their memory.
  sync_file_range(descriptor, static_cast<off_t>(begin), static_cast<off_t>(count), SYNC_FILE_RANGE_WRITE);
  return {};
}

Status SpillFile::readAt(uint64_t offset, std::span<std::byte> bytes) const {
  const uint64_t begin = offset, count = bytes.size();
  while (!bytes.empty()) {
    const ssize_t got = pread(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return io::systemError(name, describe("read", bytes.size(), offset), got < 0 ? errno : EIO);
    bytes = bytes.subspan(static_cast<size_t>(got));
    offset += static_cast<uint64_t>(got);
  }
  // What does not fit into the given memory should not be in the system's either.
  posix_fadvise(descriptor, static_cast<off_t>(begin), static_cast<off_t>(count), POSIX_FADV_DONTNEED);
  return {};
}

} // namespace halftone::calibrate
