// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The command line of a static executable.
#include "lib/link/Link.h"

#include "lib/io/SystemError.h"
#include "lib/link/Lld.h"

#include <algorithm>
#include <filesystem>

namespace halftone::link {

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
  std::vector<std::string> line = {"-static",     "--no-pie", "--gc-sections", "--build-id=none", "--strip-debug", "-z",
                                   "noexecstack", "-o",       options.output};
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

Status linkExecutable(const LinkOptions &options) {
  Expected<std::vector<std::string>> archives = listArchives(options.runtimeFolder);
  if (!archives)
    return archives.error();
  return runLld(commandLine(options, *archives), options.output);
}

} // namespace halftone::link
