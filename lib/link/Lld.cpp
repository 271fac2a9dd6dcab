// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls lld, and finds the error in what it prints.
#include "lib/link/Lld.h"

#include "lld/Common/Driver.h"

#include "llvm/Support/raw_ostream.h"

#include <string_view>

LLD_HAS_DRIVER(elf)

namespace halftone::link {

/// How lld calls itself in its diagnostics: the first argument.
static constexpr std::string_view linkerName = "ld.lld";

/// The first error in lld's output, with the lines of ">>>" that belong to it, on one line.
static std::string firstError(std::string_view text) {
  const std::string prefix = std::string(linkerName) + ": error: ";
  const size_t start = text.find(prefix);
  if (start == std::string_view::npos)
    return "the linker failed without saying why";
  text.remove_prefix(start + prefix.size());
  std::string message;
  for (bool more = true; more;) {
    const size_t end = text.find('\n');
    message += text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    more = text.starts_with(">>> ");
    if (more) {
      text.remove_prefix(4);
      message += "; ";
    }
  }
  return message;
}

Status runLld(const std::vector<std::string> &arguments, const std::string &output) {
  const std::vector<std::string> always = {std::string(linkerName), "--threads=1", "--color-diagnostics=never",
                                           // A full disk is then an error of write() and not a signal.
                                           "--no-mmap-output-file"};
  std::vector<const char *> line;
  for (const std::vector<std::string> *list : {&always, &arguments})
    for (const std::string &argument : *list)
      line.push_back(argument.c_str());
  std::string diagnostics;
  llvm::raw_string_ostream stream(diagnostics);
  // lldMain also frees the driver's state, so that the next call starts clean.
  const lld::Result result = lld::lldMain(line, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode == 0)
    return {};
  return Error{"cannot link " + output + ": " +
               (result.canRunAgain ? firstError(diagnostics) : "the linker crashed")};
}

} // namespace halftone::link
