// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// realpath(3), and what it leaves out: links that dangle.
#include "lib/io/FollowLinks.h"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <unistd.h>

namespace halftone::io {

/// What Linux follows at most (path_resolution(7)).
static constexpr int mostLinks = 40;

std::string followLinks(std::string path) {
  char buffer[PATH_MAX];
  for (int links = 0; links < mostLinks; ++links) {
    if (realpath(path.c_str(), buffer))
      return buffer;
    const ssize_t size = errno == ENOENT ? readlink(path.c_str(), buffer, sizeof(buffer)) : -1;
    if (size <= 0)
      return path;
    const std::string next(buffer, static_cast<size_t>(size));
    const size_t slash = path.rfind('/');
    path = next.starts_with('/') || slash == std::string::npos ? next : path.substr(0, slash + 1) + next;
  }
  return path;
}

} // namespace halftone::io
