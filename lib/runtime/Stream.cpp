// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// POSIX reads and writes, repeated until all is done.
#include "lib/runtime/Stream.h"

#include "lib/io/SystemError.h"
#include "lib/tokenizer/Utf8.h"

#include <cerrno>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace halftone::runtime {

void CharacterFilter::feed(std::string_view bytes, std::string &text) {
  waiting.append(bytes);
  std::string_view rest = waiting;
  while (!rest.empty()) {
    if (const size_t size = tokenizer::validCharacter(rest)) {
      text.append(rest.substr(0, size));
      rest.remove_prefix(size);
    } else if (tokenizer::mayBecomeCharacter(rest)) {
      break;
    } else {
      text.append(tokenizer::replacementCharacter);
      rest.remove_prefix(1);
    }
  }
  waiting.erase(0, waiting.size() - rest.size());
}

void CharacterFilter::finish(std::string &text) {
  for (size_t left = waiting.size(); left > 0; --left)
    text.append(tokenizer::replacementCharacter);
  waiting.clear();
}

Status Output::write(std::string_view bytes) {
  while (!bytes.empty() && !readerGone) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EPIPE) {
      readerGone = true;
    } else if (errno == EAGAIN) {
      pollfd ready{descriptor, POLLOUT, 0};
      poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return io::systemError(name, "write", errno);
    }
  }
  return {};
}

bool Output::isTerminal() const { return isatty(descriptor) == 1; }

Expected<std::string> readAll(int descriptor, const char *name) {
  std::string content;
  char block[16384];
  while (true) {
    const ssize_t count = read(descriptor, block, sizeof block);
    if (count == 0 || (count < 0 && errno == EBADF))
      return content;
    if (count > 0)
      content.append(block, static_cast<size_t>(count));
    else if (errno != EINTR)
      return io::systemError(name, "read", errno);
  }
}

bool sameDestination(int first, int second) {
  struct stat one, other;
  return fstat(first, &one) == 0 && fstat(second, &other) == 0 && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

} // namespace halftone::runtime
