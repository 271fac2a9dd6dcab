// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Time left from the time spent; what cannot be written is not worth an error.
#include "lib/io/ProgressLine.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <sys/resource.h>
#include <unistd.h>

namespace halftone::io {

/// How often the line changes, in seconds: as fast as one reads on a terminal, as rarely as a log wants elsewhere.
static constexpr double terminalPeriod = 0.1, logPeriod = 10;

static double now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

ProgressLine::ProgressLine(int descriptor)
    : descriptor(descriptor), isTerminal(isatty(descriptor) == 1), started(now()), lastShown(started) {}

void ProgressLine::write(const std::string &text) { (void)!::write(descriptor, text.data(), text.size()); }

void ProgressLine::show(const std::string &text) {
  lastShown = now();
  write(isTerminal ? "\r\x1b[K" + text : text + "\n");
}

void ProgressLine::begin(const std::string &heading) {
  started = now();
  show(heading);
}

void ProgressLine::advance(const std::string &text, uint64_t done, uint64_t total) {
  const double time = now();
  if (time - lastShown < (isTerminal ? terminalPeriod : logPeriod) || total == 0)
    return;
  const double ahead = static_cast<double>(total - std::min(done, total));
  const double left = done == 0 ? 0 : (time - started) * ahead / static_cast<double>(done);
  show(text + ", " + std::to_string(std::llround(left)) + " s left, " + peakMemory());
}

void ProgressLine::clear() {
  if (isTerminal)
    write("\r\x1b[K");
}

std::string peakMemory() {
  rusage own = {}, others = {};
  getrusage(RUSAGE_SELF, &own);
  getrusage(RUSAGE_CHILDREN, &others);
  const double kibibytes = static_cast<double>(std::max(own.ru_maxrss, others.ru_maxrss));
  return "peak " + std::to_string(std::llround(kibibytes / 1024)) + " MB";
}

} // namespace halftone::io
