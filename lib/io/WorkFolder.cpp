// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A folder is in use as long as someone holds its lock (flock), which the system lets go when the program ends.
#include "lib/io/WorkFolder.h"

#include "lib/io/FollowLinks.h"
#include "lib/io/SystemError.h"

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace halftone::io {

/// What follows the output's name in a work folder's.
static constexpr std::string_view marker = ".halftone-work-";
static constexpr std::string_view uniquePart = "XXXXXX";

/// The outermost folder of this process, for the signal handler: an open descriptor and the path, which is never freed
/// early.
static volatile int currentDescriptor = -1;
static char currentPath[PATH_MAX];

/// An entry as the system gives it (getdents64(2)); the C library's readdir may allocate, which a handler must not.
struct SystemEntry {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

static void removeNested(int parent, const char *name);

/// Unlinks all files of the folder, and the folders that nested runs made in it; async-signal-safe.
static void removeFiles(int folder) {
  alignas(SystemEntry) char buffer[4096];
  lseek(folder, 0, SEEK_SET);
  for (long count; (count = syscall(SYS_getdents64, folder, buffer, sizeof(buffer))) > 0;)
    for (long at = 0; at < count;) {
      const auto *entry = reinterpret_cast<const SystemEntry *>(buffer + at);
      if (unlinkat(folder, entry->name, 0) != 0 && entry->name[0] != '.') // fails, as it should, for "." and ".."
        removeNested(folder, entry->name);
      at += entry->length;
    }
}

static void removeNested(int parent, const char *name) {
  const int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0)
    return;
  removeFiles(folder);
  unlinkat(parent, name, AT_REMOVEDIR);
  close(folder);
}

void WorkFolder::removeOnSignal() {
  if (currentDescriptor < 0)
    return;
  // Other threads run on, and may make a file between the two calls.
  constexpr int tries = 1000;
  for (int i = 0; i < tries; ++i) {
    removeFiles(currentDescriptor);
    if (rmdir(currentPath) == 0 || errno != ENOTEMPTY)
      return;
  }
}

/// Opens the folder and takes its lock; -1 and errno when that fails: ENOENT when it is gone, EWOULDBLOCK when it is in
/// use.
static int lock(const std::string &path) {
  const int folder = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0)
    return -1;
  int code = 0;
  struct stat status;
  if (flock(folder, LOCK_EX | LOCK_NB) != 0 || fstat(folder, &status) != 0)
    code = errno;
  else if (status.st_nlink > 0)
    return folder;
  close(folder);
  errno = code == 0 ? ENOENT : code;
  return -1;
}

/// Removes the work folders of the output called `name` in `parent` that no program holds any more.
static void removeLeftOver(const std::string &parent, const std::string &name) {
  DIR *listing = opendir(parent.c_str());
  if (!listing)
    return;
  const std::string prefix = name + std::string(marker);
  while (const dirent *entry = readdir(listing)) {
    const std::string_view found = entry->d_name;
    if (!found.starts_with(prefix) || found.size() != prefix.size() + uniquePart.size())
      continue;
    const std::string path = parent + "/" + entry->d_name;
    if (const int folder = lock(path); folder >= 0) {
      removeFiles(folder);
      rmdir(path.c_str());
      close(folder);
    }
  }
  closedir(listing);
}

namespace {

/// While alive, signals wait: a folder is made and made known to the handler at once.
class SignalsBlocked {
public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before, nullptr); }

private:
  sigset_t before;
};

} // namespace

Expected<WorkFolder> WorkFolder::create(const std::string &output) {
  WorkFolder work;
  work.output = output;
  work.target = followLinks(output);
  const size_t slash = work.target.rfind('/');
  const bool hasFolder = slash != std::string::npos;
  removeLeftOver(hasFolder ? work.target.substr(0, slash + 1) : ".", work.target.substr(hasFolder ? slash + 1 : 0));
  const SignalsBlocked blocked;
  // Another run may take a folder for left over between its making and its locking: then make another.
  while (work.descriptor < 0) {
    std::string path = work.target + std::string(marker) + std::string(uniquePart);
    if (!mkdtemp(path.data()))
      return systemError(output, "make a work folder beside it", errno);
    work.folder = path;
    work.descriptor = lock(path);
    if (const int code = errno; work.descriptor < 0 && code != ENOENT && code != EWOULDBLOCK) {
      rmdir(path.c_str());
      return systemError(output, "open the work folder beside it", code);
    }
  }
  if (currentDescriptor < 0 && work.folder.size() < sizeof(currentPath)) {
    std::memcpy(currentPath, work.folder.c_str(), work.folder.size() + 1);
    currentDescriptor = work.descriptor;
  }
  return work;
}

WorkFolder::WorkFolder(WorkFolder &&other) noexcept
    : output(std::move(other.output)), target(std::move(other.target)), folder(std::move(other.folder)),
      descriptor(std::exchange(other.descriptor, -1)) {}

WorkFolder &WorkFolder::operator=(WorkFolder &&other) noexcept {
  if (this != &other) {
    remove();
    output = std::move(other.output);
    target = std::move(other.target);
    folder = std::move(other.folder);
    descriptor = std::exchange(other.descriptor, -1);
  }
  return *this;
}

WorkFolder::~WorkFolder() { remove(); }

void WorkFolder::remove() {
  if (descriptor < 0)
    return;
  removeFiles(descriptor);
  rmdir(folder.c_str());
  if (currentDescriptor == descriptor)
    currentDescriptor = -1;
  close(std::exchange(descriptor, -1));
}

uint64_t WorkFolder::bytes() const {
  uint64_t total = 0;
  DIR *listing = opendir(folder.c_str());
  if (!listing)
    return 0;
  while (const dirent *entry = readdir(listing)) {
    struct stat status;
    if (stat((*this / entry->d_name).c_str(), &status) == 0 && S_ISREG(status.st_mode))
      total += static_cast<uint64_t>(status.st_size);
  }
  closedir(listing);
  return total;
}

/// Waits until what `path` holds is on disk.
static int syncFile(const std::string &path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return errno;
  const int code = fsync(file) == 0 ? 0 : errno;
  close(file);
  return code;
}

Status WorkFolder::publish(const std::string &name) const { return publish(name, output); }

Status WorkFolder::publish(const std::string &name, const std::string &path) const {
  if (const int code = syncFile(*this / name))
    return systemError(path, "sync the finished file", code);
  if (rename((*this / name).c_str(), followLinks(path).c_str()) != 0)
    return systemError(path, "put the finished file in place", errno);
  return {};
}

} // namespace halftone::io
