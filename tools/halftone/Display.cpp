// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lines of progress and the table at the end.
#include "tools/halftone/Display.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <sys/resource.h>
#include <unistd.h>

namespace halftone::tool {

Display::Display() : line(STDERR_FILENO) {}

/// "[3/8] calibrate"
static std::string heading(Stage stage) {
  return "[" + std::to_string(static_cast<size_t>(stage) + 1) + "/" + std::to_string(stageNames.size()) + "] " +
         name(stage).str();
}

int64_t peakBytes() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

void Display::begin(Stage stage) { line.begin(heading(stage)); }

void Display::advance(Stage stage, uint64_t done, uint64_t total) {
  line.advance(heading(stage) + " " + std::to_string(done) + "/" + std::to_string(total), done, total);
}

void Display::warn(const std::string &message) {
  clear();
  llvm::errs() << "halftone: warning: " << message << "\n";
}

static std::string row(llvm::StringRef name, double seconds, uint64_t bytes) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::left_justify(name, 9) << llvm::format("%10.2f", seconds)
                                 << llvm::format("%16llu\n", static_cast<unsigned long long>(bytes));
  return text;
}

std::string table(std::span<const StageReport> reports) {
  std::string text = "stage       seconds           bytes\n";
  double seconds = 0;
  for (const StageReport &report : reports) {
    text += row(name(report.stage), report.seconds, report.bytes);
    seconds += report.seconds;
  }
  const uint64_t written = reports.empty() ? 0 : reports.back().bytes;
  return text + row("total", seconds, written) + io::peakMemory() + "\n";
}

} // namespace halftone::tool
