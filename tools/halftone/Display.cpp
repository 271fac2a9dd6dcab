// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lines of progress and the table at the end.
#include "tools/halftone/Display.h"
#include "tools/halftone/Output.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cinttypes>
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

void Display::advance(Stage stage, uint64_t done, uint64_t total, const std::string &what) {
  line.advance(heading(stage) + " " + (what.empty() ? std::to_string(done) + "/" + std::to_string(total) : what), done,
               total);
}

void Display::warn(const std::string &message) {
  clear();
  llvm::errs() << "halftone: warning: " << message << "\n";
}

void Display::note(const std::string &message) {
  clear();
  llvm::errs() << "halftone: " << message << "\n";
}

Status Display::print(std::string_view text) {
  clear();
  return tool::print(text);
}

std::string table(std::span<const StageReport> reports) {
  std::string text;
  llvm::raw_string_ostream out(text);
  out << "stage       seconds           bytes\n";
  double seconds = 0;
  for (const auto &[stage, spent, bytes] : reports) {
    out << llvm::left_justify(name(stage), 9) << llvm::format("%10.2f", spent)
        << llvm::format("%16" PRIu64 "\n", bytes);
    seconds += spent;
  }
  out << llvm::left_justify("total", 9) << llvm::format("%10.2f\n", seconds);
  if (!reports.empty()) // the stages before wrote work files, which are gone
    out << "output " << reports.back().bytes << " bytes, ";
  out << io::peakMemory() << "\n";
  return text;
}

} // namespace halftone::tool
