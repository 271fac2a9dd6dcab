// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// lld as a library: its command line, and its diagnostics as a value.
#include "lib/link/Link.h"

#include "lib/io/SystemError.h"

#include "lld/Common/Driver.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <filesystem>
#include <string_view>

LLD_HAS_DRIVER(elf)

namespace halftone::link {

/// How lld calls itself in its diagnostics: the first argument.
static constexpr std::string_view linkerName = "ld.lld";

/// Every file of `folder` that ends in ".a", sorted, as the order of a folder's entries is not the same everywhere.
static Expected<std::vector<std::string>> listArchives(const std::string &folder) {
  std::vector<std::string> archives;
  std::error_code code;
  for (std::filesystem::directory_iterator entry(folder, code), end; !code && entry != end; entry.increment(code))
    if (entry->path().extension() == ".a")
      archives.push_back(entry->path().string());
  if (code)
    return io::systemError(folder, "list the runtime's archives", code.value());
  if (archives.empty())
    return Error{folder + ": no archive of the runtime there"};
  std::sort(archives.begin(), archives.end());
  return archives;
}

/// The command line of a static link, start files first and last as the C library wants it.
static std::vector<std::string> commandLine(const LinkOptions &options, const std::vector<std::string> &archives) {
  const auto runtime = [&](const char *name) { return options.runtimeFolder + "/" + name; };
  std::vector<std::string> line = {std::string(linkerName), "-static", "--no-pie", "--gc-sections", "--build-id=none",
                                   "--strip-debug", "-z", "noexecstack", "--threads=1",
                                   // A full disk is then an error of write() and not a signal.
                                   "--no-mmap-output-file", "--color-diagnostics=never", "-o", options.output};
  for (const char *name : {"crt1.o", "crti.o", "crtbeginT.o"})
    line.push_back(runtime(name));
  line.insert(line.end(), options.objects.begin(), options.objects.end());
  line.push_back("--start-group");
  line.insert(line.end(), archives.begin(), archives.end());
  line.push_back("--end-group");
  for (const char *name : {"crtend.o", "crtn.o"})
    line.push_back(runtime(name));
  return line;
}

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

Status linkExecutable(const LinkOptions &options) {
  Expected<std::vector<std::string>> archives = listArchives(options.runtimeFolder);
  if (!archives)
    return archives.error();
  const std::vector<std::string> line = commandLine(options, *archives);
  std::vector<const char *> arguments;
  for (const std::string &argument : line)
    arguments.push_back(argument.c_str());
  std::string diagnostics;
  llvm::raw_string_ostream stream(diagnostics);
  // lldMain also frees the driver's state, so that the next call starts clean.
  const lld::Result result = lld::lldMain(arguments, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode == 0)
    return {};
  return Error{"cannot link " + options.output + ": " +
               (result.canRunAgain ? firstError(diagnostics) : "the linker crashed")};
}

} // namespace halftone::link
