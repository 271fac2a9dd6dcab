/* Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * Loaded before libc (LD_PRELOAD), makes one call of a program fail: of the calls that open, make, fill, size, sync,
 * name or map a file, number FAULT_CALL gets the error FAULT_ERRNO; without that it works, but the file that it maps is
 * cut to nothing afterwards. The file FAULT_LOG receives a line for each such call: its name and path. Writing to
 * descriptors up to 2 counts as no such call. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_long calls;

/* Counts a call; whether it is the one that fails. */
static int fails(const char *name, const char *path) {
  const char *log = getenv("FAULT_LOG"), *at = getenv("FAULT_CALL");
  const long number = atomic_fetch_add(&calls, 1) + 1;
  if (log) {
    char line[4200];
    const int length = snprintf(line, sizeof line, "%s %s\n", name, path);
    const int file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0666);
    syscall(SYS_write, file, line, length);
    syscall(SYS_close, file);
  }
  if (!at || atol(at) != number || !getenv("FAULT_ERRNO"))
    return 0;
  errno = atoi(getenv("FAULT_ERRNO"));
  return 1;
}

static const char *pathOf(int descriptor) {
  static _Thread_local char path[4096];
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  path[length > 0 ? length : 0] = 0;
  return path;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Defines function `name`, which fails or does what the next one of that name does. */
#define WRAP(result, failure, name, parameters, path, ...)                                                             \
  result name parameters { return fails(#name, path) ? failure : NEXT(name)(__VA_ARGS__); }

WRAP(ssize_t, -1, pwrite, (int file, const void *data, size_t count, off_t at), pathOf(file), file, data, count, at)
WRAP(ssize_t, -1, pwrite64, (int file, const void *data, size_t count, off64_t at), pathOf(file), file, data, count, at)
WRAP(ssize_t, -1, pread, (int file, void *data, size_t count, off_t at), pathOf(file), file, data, count, at)
WRAP(ssize_t, -1, pread64, (int file, void *data, size_t count, off64_t at), pathOf(file), file, data, count, at)
WRAP(int, -1, fsync, (int file), pathOf(file), file)
WRAP(int, -1, ftruncate, (int file, off_t size), pathOf(file), file, size)
WRAP(int, -1, ftruncate64, (int file, off64_t size), pathOf(file), file, size)
WRAP(int, -1, rename, (const char *from, const char *to), to, from, to)
WRAP(int, -1, linkat, (int a, const char *from, int b, const char *to, int flags), to, a, from, b, to, flags)
WRAP(char *, NULL, mkdtemp, (char *pattern), pattern, pattern)
WRAP(int, -1, mkdir, (const char *path, mode_t mode), path, path, mode)

ssize_t write(int file, const void *data, size_t count) {
  return file > 2 && fails("write", pathOf(file)) ? -1 : NEXT(write)(file, data, count);
}
ssize_t read(int file, void *data, size_t count) {
  return file > 2 && fails("read", pathOf(file)) ? -1 : NEXT(read)(file, data, count);
}
/* Cuts the file just mapped, where that is what shall fail. */
static void *cut(void *memory, int file) {
  const char *at = getenv("FAULT_CALL");
  if (at && atol(at) == calls && !getenv("FAULT_ERRNO"))
    truncate(pathOf(file), 0);
  return memory;
}

void *mmap(void *at, size_t size, int protection, int flags, int file, off_t offset) {
  if (file <= 2)
    return NEXT(mmap)(at, size, protection, flags, file, offset);
  return fails("mmap", pathOf(file)) ? MAP_FAILED : cut(NEXT(mmap)(at, size, protection, flags, file, offset), file);
}
void *mmap64(void *at, size_t size, int protection, int flags, int file, off64_t offset) {
  if (file <= 2)
    return NEXT(mmap64)(at, size, protection, flags, file, offset);
  return fails("mmap", pathOf(file)) ? MAP_FAILED : cut(NEXT(mmap64)(at, size, protection, flags, file, offset), file);
}

/* The mode is there only where a file may be made; passing on what is not there does no harm on the ABIs of Linux. */
#define WRAP_OPEN(name, parameters, ...)                                                                               \
  int name parameters {                                                                                                \
    va_list list;                                                                                                      \
    va_start(list, flags);                                                                                             \
    const mode_t mode = va_arg(list, mode_t);                                                                          \
    va_end(list);                                                                                                      \
    return fails(#name, path) ? -1 : NEXT(name)(__VA_ARGS__, flags, mode);                                             \
  }
WRAP_OPEN(open, (const char *path, int flags, ...), path)
WRAP_OPEN(open64, (const char *path, int flags, ...), path)
WRAP_OPEN(openat, (int folder, const char *path, int flags, ...), folder, path)
WRAP_OPEN(openat64, (int folder, const char *path, int flags, ...), folder, path)
