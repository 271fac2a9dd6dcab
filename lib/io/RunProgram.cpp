// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// posix_spawn, and two pipes that are read as they fill.
#include "lib/io/RunProgram.h"

#include "lib/io/SystemError.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

extern char **environ;

namespace halftone::io {
namespace {

/// The reading end is ours, the writing end the program's.
class Pipe {
public:
  Pipe() { failed = pipe2(ends, O_CLOEXEC) != 0 ? errno : 0; }
  ~Pipe() {
    closeEnd(0);
    closeEnd(1);
  }
  Pipe(const Pipe &) = delete;

  int reader() const { return ends[0]; }
  int writer() const { return ends[1]; }
  void closeReader() { closeEnd(0); }
  void closeWriter() { closeEnd(1); }

  int failed = 0; // errno

private:
  void closeEnd(int end) {
    if (ends[end] >= 0)
      close(ends[end]);
    ends[end] = -1;
  }
  int ends[2] = {-1, -1};
};

/// What a program says on one of its streams, line by line.
class Lines {
public:
  /// Gives the lines that `bytes` complete to `take`.
  Status feed(std::string_view bytes, const TakeLine &take) {
    waiting += bytes;
    size_t begin = 0;
    for (size_t end; (end = waiting.find('\n', begin)) != std::string::npos; begin = end + 1)
      if (Status taken = take(std::string_view(waiting).substr(begin, end - begin)); !taken)
        return taken;
    waiting.erase(0, begin);
    return {};
  }
  /// Gives what no newline ended.
  Status finish(const TakeLine &take) { return waiting.empty() ? Status() : take(waiting); }

private:
  std::string waiting;
};

} // namespace

/// Starts the program; its process, or an errno below 0.
static pid_t start(const std::string &path, std::span<const std::string> arguments, const Pipe &output,
                   const Pipe &error) {
  std::vector<char *> words = {const_cast<char *>(path.c_str())};
  for (const std::string &argument : arguments)
    words.push_back(const_cast<char *>(argument.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output.writer(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, error.writer(), STDERR_FILENO);
  pid_t process = 0;
  const int code = posix_spawn(&process, path.c_str(), &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return code == 0 ? process : -code;
}

/// Reads once from a pipe that is ready; closes it at its end.
static Status readFrom(Pipe &pipe, Lines &lines, const TakeLine &take) {
  char bytes[65536];
  const ssize_t count = read(pipe.reader(), bytes, sizeof(bytes));
  if (count > 0)
    return lines.feed({bytes, static_cast<size_t>(count)}, take);
  if (count < 0 && errno == EINTR)
    return {};
  pipe.closeReader();
  return lines.finish(take);
}

/// Reads both pipes until they end, or until `take` wants no more.
static Status listen(Pipe &output, Pipe &error, const TakeLine &take, const TakeLine &takeError) {
  Lines lines, errorLines;
  while (output.reader() >= 0 || error.reader() >= 0) {
    pollfd ready[] = {{output.reader(), POLLIN, 0}, {error.reader(), POLLIN, 0}};
    if (poll(ready, 2, -1) < 0)
      continue; // a signal
    if (ready[0].revents != 0)
      if (Status read = readFrom(output, lines, take); !read)
        return read;
    if (ready[1].revents != 0)
      if (Status read = readFrom(error, errorLines, takeError); !read)
        return read;
  }
  return {};
}

/// The last line that a program said, without the name it gives itself, as the end of an error.
static std::string reason(const std::string &line) {
  const size_t name = line.find(": error: ");
  return line.empty() ? "" : ": " + (name == std::string::npos ? line : line.substr(name + strlen(": error: ")));
}

static Status judge(const std::string &path, int status, const std::string &lastLine) {
  if (WIFSIGNALED(status))
    return Error{path + ": died: " + strsignal(WTERMSIG(status)) + reason(lastLine)};
  if (WEXITSTATUS(status) != 0)
    return Error{path + ": ended with status " + std::to_string(WEXITSTATUS(status)) + reason(lastLine)};
  return {};
}

Status runProgram(const std::string &path, std::span<const std::string> arguments, const TakeLine &take,
                  ProgramCost *cost) {
  const auto begin = std::chrono::steady_clock::now();
  Pipe output, error;
  if (const int code = output.failed != 0 ? output.failed : error.failed)
    return systemError(path, "make pipes for it", code);
  const pid_t process = start(path, arguments, output, error);
  if (process < 0)
    return systemError(path, "be run", -process);
  output.closeWriter();
  error.closeWriter();
  std::string lastLine;
  const Status listened = listen(output, error, take, [&](std::string_view line) -> Status {
    if (!line.empty())
      lastLine = line;
    return {};
  });
  if (!listened)
    kill(process, SIGTERM);
  int status = 0;
  rusage used = {};
  while (wait4(process, &status, 0, &used) < 0 && errno == EINTR)
    ;
  if (cost)
    *cost = {std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
             static_cast<uint64_t>(used.ru_maxrss) * 1024};
  return listened ? judge(path, status, lastLine) : listened;
}

} // namespace halftone::io
