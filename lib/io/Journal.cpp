// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The file: the fingerprint, then records of a header, the name, the bytes, and the hash of all three.
#include "lib/io/Journal.h"

#include "lib/io/Sha256.h"
#include "lib/io/SystemError.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace halftone::io {

/// Before the fingerprint: what the file is, and the version of its layout.
static constexpr std::string_view magic = "halftone journal 1\n";
static constexpr size_t hashDigits = 64;

namespace {
struct RecordHeader {
  uint64_t nameBytes = 0, bytes = 0;
};
} // namespace

Journal::Journal(Journal &&other) noexcept { *this = std::move(other); }

Journal &Journal::operator=(Journal &&other) noexcept {
  if (this == &other)
    return *this;
  close();
  folder = std::move(other.folder);
  path = std::move(other.path);
  descriptor = std::exchange(other.descriptor, -1);
  end = other.end;
  places = std::move(other.places);
  return *this;
}

Journal::~Journal() { close(); }

void Journal::close() {
  if (descriptor < 0)
    return;
  if (places.empty()) {
    unlink(path.c_str());
    rmdir(folder.c_str());
  }
  ::close(descriptor);
  descriptor = -1;
}

/// Reads `count` bytes at `offset`; fewer when the file ends before.
static Expected<std::string> readAt(int descriptor, const std::string &path, uint64_t offset, uint64_t count) {
  std::string bytes(count, '\0');
  size_t done = 0;
  while (done < count) {
    const ssize_t got = pread(descriptor, bytes.data() + done, count - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return systemError(path, "read " + std::to_string(count) + " bytes at " + std::to_string(offset), errno);
    if (got == 0)
      break;
    done += got;
  }
  bytes.resize(done);
  return bytes;
}

static Status writeAt(int descriptor, const std::string &path, uint64_t offset, std::string_view bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t put = pwrite(descriptor, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return systemError(path, "write " + std::to_string(bytes.size()) + " bytes at " + std::to_string(offset),
                         put == 0 ? ENOSPC : errno);
    done += put;
  }
  return {};
}

static std::string hashOf(std::string_view bytes) { return sha256Hex(std::as_bytes(std::span(bytes))); }

Expected<Journal> Journal::open(std::string folder, std::string_view fingerprint) {
  Journal journal;
  journal.folder = std::move(folder);
  journal.path = journal.folder + "/journal";
  if (mkdir(journal.folder.c_str(), 0777) != 0 && errno != EEXIST)
    return systemError(journal.folder, "make the folder", errno);
  journal.descriptor = ::open(journal.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (journal.descriptor < 0)
    return systemError(journal.path, "open", errno);
  if (flock(journal.descriptor, LOCK_EX | LOCK_NB) != 0) {
    ::close(journal.descriptor); // someone else's
    journal.descriptor = -1;
    return journal;
  }
  const std::string heading = std::string(magic) + std::string(fingerprint) + "\n";
  const Expected<std::string> found = readAt(journal.descriptor, journal.path, 0, heading.size());
  if (!found)
    return found.error();
  journal.end = heading.size();
  if (Status status = *found == heading ? journal.readRecords() : journal.start(heading); !status)
    return status.error();
  return journal;
}

/// Begins an empty journal.
Status Journal::start(std::string_view heading) {
  if (ftruncate(descriptor, 0) != 0)
    return systemError(path, "empty", errno);
  return writeAt(descriptor, path, 0, heading);
}

/// Finds the records that are whole, and cuts off what follows them.
Status Journal::readRecords() {
  for (;;) {
    RecordHeader header;
    const Expected<std::string> start = readAt(descriptor, path, end, sizeof(header));
    if (!start)
      return start.error();
    if (start->size() < sizeof(header))
      break;
    std::memcpy(&header, start->data(), sizeof(header));
    struct stat file;
    if (fstat(descriptor, &file) != 0)
      return systemError(path, "read its size", errno);
    const uint64_t left = static_cast<uint64_t>(file.st_size) - end;
    if (header.nameBytes > left || header.bytes > left ||
        sizeof(header) + header.nameBytes + header.bytes + hashDigits > left)
      break;
    const uint64_t hashed = sizeof(header) + header.nameBytes + header.bytes;
    const Expected<std::string> record = readAt(descriptor, path, end, hashed + hashDigits);
    if (!record)
      return record.error();
    if (hashOf(std::string_view(*record).substr(0, hashed)) != std::string_view(*record).substr(hashed))
      break;
    places[record->substr(sizeof(header), header.nameBytes)] = {end + sizeof(header) + header.nameBytes, header.bytes};
    end += hashed + hashDigits;
  }
  return ftruncate(descriptor, static_cast<off_t>(end)) == 0 ? Status() : systemError(path, "cut it off", errno);
}

Expected<std::vector<std::byte>> Journal::read(std::string_view name) const {
  const auto place = places.find(name);
  if (place == places.end())
    return Error{path + ": has no result called '" + std::string(name) + "'"};
  const Expected<std::string> bytes = readAt(descriptor, path, place->second.offset, place->second.bytes);
  if (!bytes)
    return bytes.error();
  if (bytes->size() < place->second.bytes)
    return Error{path + ": ends before the result '" + std::string(name) + "' does"};
  const auto content = std::as_bytes(std::span(*bytes));
  return std::vector<std::byte>(content.begin(), content.end());
}

Status Journal::append(std::string_view name, std::span<const std::byte> bytes) {
  if (descriptor < 0)
    return {};
  const RecordHeader header{name.size(), bytes.size()};
  std::string record(sizeof(header), '\0');
  std::memcpy(record.data(), &header, sizeof(header));
  record.append(name);
  record.append(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  record += hashOf(record);
  if (Status written = writeAt(descriptor, path, end, record); !written)
    return written;
  places[std::string(name)] = {end + sizeof(header) + name.size(), bytes.size()};
  end += record.size();
  return {};
}

void Journal::remove() {
  if (descriptor < 0)
    return;
  places.clear(); // nothing is left to keep
  close();
}

} // namespace halftone::io
