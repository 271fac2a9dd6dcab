// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Signal handlers: nothing but async-signal-safe calls.
#include "tools/halftone/Signals.h"

#include "lib/io/WorkFolder.h"

#include <charconv>
#include <climits>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

namespace halftone::tool {

/// Ends the program as the signal would have, without its work files.
static void endOnSignal(int signal) {
  io::WorkFolder::removeOnSignal();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

namespace {

/// The lines of a file, without the C library's buffers; longer ones are cut.
class Lines {
public:
  explicit Lines(const char *path) : file(open(path, O_RDONLY | O_CLOEXEC)) {}
  ~Lines() { close(file); }

  /// False at the end.
  bool next(std::string_view &line) {
    size_t length = 0;
    char c = 0;
    while (read(file, &c, 1) == 1 && c != '\n')
      if (length < sizeof(text))
        text[length++] = c;
    line = {text, length};
    return length != 0;
  }

private:
  int file;
  char text[PATH_MAX + 128];
};

/// Hexadecimal digits at the start of `text`, which are taken away with the character behind them.
uint64_t takeNumber(std::string_view &text) {
  uint64_t number = 0;
  const char *end = std::from_chars(text.begin(), text.end(), number, 16).ptr;
  text.remove_prefix(std::min<size_t>(end - text.begin() + 1, text.size()));
  return number;
}

} // namespace

static void say(std::string_view text) {
  [[maybe_unused]] const ssize_t said = write(STDERR_FILENO, text.data(), text.size());
}

/// Names the file that is mapped at `address` and the offset, as proc(5) lists them: "first-last rwxp offset device
/// inode path".
static void sayWhere(uint64_t address) {
  Lines maps("/proc/self/maps");
  for (std::string_view line; maps.next(line);) {
    const uint64_t first = takeNumber(line), last = takeNumber(line);
    if (address < first || address >= last)
      continue;
    line.remove_prefix(line.find(' ') + 1);
    const uint64_t offset = takeNumber(line);
    char digits[24];
    const char *end = std::to_chars(digits, digits + sizeof(digits), offset + (address - first)).ptr;
    const size_t path = line.find('/');
    say(path == std::string_view::npos ? "a mapped file" : line.substr(path));
    say(": cannot read at ");
    say({digits, static_cast<size_t>(end - digits)});
    return;
  }
  say("a mapped file: cannot read");
}

/// The kernel could not give the bytes of a mapped file.
static void failOnSignal(int, siginfo_t *info, void *) {
  say("halftone: error: ");
  sayWhere(reinterpret_cast<uint64_t>(info->si_addr));
  say(": the file was cut short, or its disk failed\n");
  io::WorkFolder::removeOnSignal();
  _exit(EXIT_FAILURE);
}

void handleSignals() {
  std::signal(SIGXFSZ, SIG_IGN);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE})
    std::signal(signal, endOnSignal);
  struct sigaction action = {};
  action.sa_sigaction = failOnSignal;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGBUS, &action, nullptr);
}

} // namespace halftone::tool
