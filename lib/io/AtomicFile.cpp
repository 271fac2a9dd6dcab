// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writing aside and renaming, through POSIX calls.
#include "lib/io/AtomicFile.h"

#include "lib/io/FollowLinks.h"
#include "lib/io/SystemError.h"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace halftone::io {

static std::string folderOf(const std::string &path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

/// Refuses a target that is no plain file (renaming over a device would replace it) or that is one of the inputs.
static Status checkTarget(const std::string &path, const std::vector<std::string> &inputs) {
  struct stat target;
  if (stat(path.c_str(), &target) != 0)
    return {};
  if (!S_ISREG(target.st_mode))
    return Error{path + (S_ISDIR(target.st_mode) ? ": is a folder, not a file" : ": is not a regular file")};
  for (const std::string &input : inputs) {
    struct stat source;
    if (stat(input.c_str(), &source) == 0 && source.st_dev == target.st_dev && source.st_ino == target.st_ino)
      return Error{path + ": the output would replace the input '" + input + "'"};
  }
  return {};
}

/// A name beside `target` that no other writer in this or another process uses.
static std::string temporaryName(const std::string &target) {
  static std::atomic<unsigned> counter = 0;
  return target + ".partial-" + std::to_string(getpid()) + "-" + std::to_string(counter++);
}

/// How an unnamed file is reached to give it a name (open(2), O_TMPFILE).
static std::string descriptorPath(int descriptor) { return "/proc/self/fd/" + std::to_string(descriptor); }

Expected<AtomicFile> AtomicFile::create(std::string path, const AtomicFileOptions &options) {
  if (Status checked = checkTarget(path, options.inputs); !checked)
    return checked.error();
  AtomicFile file;
  file.target = followLinks(path);
  file.name = std::move(path);
  file.durable = options.durable;
  if (Status opened = file.openTemporary(options.mode); !opened)
    return opened.error();
  return file;
}

Status AtomicFile::openTemporary(unsigned mode) {
  descriptor = open(folderOf(target).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
  if (descriptor >= 0 && access(descriptorPath(descriptor).c_str(), F_OK) == 0)
    return {};
  discard(); // no O_TMPFILE on this file system, or no /proc to name the file later
  int code = EEXIST;
  while (descriptor < 0 && code == EEXIST) {
    temporary = temporaryName(target);
    descriptor = open(temporary.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);
    code = errno;
  }
  if (descriptor >= 0)
    return {};
  temporary.clear();
  return systemError(name, "create", code);
}

AtomicFile::AtomicFile(AtomicFile &&other) noexcept
    : name(std::move(other.name)), target(std::move(other.target)),
      temporary(std::exchange(other.temporary, std::string())), descriptor(std::exchange(other.descriptor, -1)),
      durable(other.durable), state(std::move(other.state)), end(other.end) {}

AtomicFile &AtomicFile::operator=(AtomicFile &&other) noexcept {
  if (this != &other) {
    discard();
    name = std::move(other.name);
    target = std::move(other.target);
    temporary = std::exchange(other.temporary, std::string());
    descriptor = std::exchange(other.descriptor, -1);
    durable = other.durable;
    state = std::move(other.state);
    end = other.end;
  }
  return *this;
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::discard() {
  if (descriptor >= 0)
    close(std::exchange(descriptor, -1));
  if (!temporary.empty())
    unlink(temporary.c_str());
  temporary.clear();
}

Status AtomicFile::fail(const std::string &action, int code) {
  discard();
  return state = systemError(name, action, code);
}

Status AtomicFile::write(const void *data, size_t count) {
  if (Status written = writeAt(end, data, count); !written)
    return written;
  end += count;
  return {};
}

Status AtomicFile::writeAt(uint64_t offset, const void *data, size_t count) {
  if (!state)
    return state;
  const char *next = static_cast<const char *>(data);
  while (count > 0) {
    const ssize_t written = pwrite(descriptor, next, count, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return fail("write " + std::to_string(count) + " bytes at " + std::to_string(offset), written < 0 ? errno : EIO);
    next += written;
    offset += static_cast<uint64_t>(written);
    count -= static_cast<size_t>(written);
  }
  return {};
}

Status AtomicFile::padTo(uint64_t alignment) {
  if (!state)
    return state;
  end = (end + alignment - 1) / alignment * alignment;
  struct stat status;
  if (fstat(descriptor, &status) != 0)
    return fail("read its size", errno);
  if (static_cast<uint64_t>(status.st_size) < end && ftruncate(descriptor, static_cast<off_t>(end)) != 0)
    return fail("grow to " + std::to_string(end) + " bytes", errno);
  return {};
}

Status AtomicFile::commit() {
  if (!state)
    return state;
  if (durable && fsync(descriptor) != 0)
    return fail("sync " + std::to_string(end) + " bytes", errno);
  while (temporary.empty()) {
    const std::string chosen = temporaryName(target);
    if (linkat(AT_FDCWD, descriptorPath(descriptor).c_str(), AT_FDCWD, chosen.c_str(), AT_SYMLINK_FOLLOW) == 0)
      temporary = chosen;
    else if (errno != EEXIST)
      return fail("name the finished file", errno);
  }
  if (rename(temporary.c_str(), target.c_str()) != 0)
    return fail("rename the finished file", errno);
  temporary.clear();
  discard();
  state = Error{name + ": is finished, nothing more can be written"};
  if (!durable)
    return {};
  // The name itself reaches the disk with its folder; not every file system can sync one, and the bytes are safe.
  if (const int folder = open(folderOf(target).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); folder >= 0) {
    fsync(folder);
    close(folder);
  }
  return {};
}

Status writeFile(std::string path, std::span<const std::byte> bytes) {
  Expected<AtomicFile> file = AtomicFile::create(std::move(path));
  if (!file)
    return file.error();
  if (Status written = file->write(bytes.data(), bytes.size()); !written)
    return written;
  return file->commit();
}

} // namespace halftone::io
