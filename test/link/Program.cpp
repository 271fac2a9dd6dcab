// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Linking, running and looking into the test program.
#include "test/link/Program.h"

#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <sched.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

namespace halftone::test {

std::string makeRuntimeFolder(const TemporaryFolder &folder) {
  const std::string runtime = folder / "runtime";
  std::filesystem::create_directory(runtime);
  std::istringstream files(START_FILES);
  for (std::string file; std::getline(files, file, ':');)
    std::filesystem::create_symlink(file, runtime + "/" + std::filesystem::path(file).filename().string());
  return runtime;
}

std::string linkProgram(const TemporaryFolder &folder, std::string_view name) {
  const std::string runtime = folder / "runtime";
  const std::string output = folder / name;
  if (!std::filesystem::exists(runtime))
    makeRuntimeFolder(folder);
  if (const Status linked = link::linkExecutable({{SEGMENT_OBJECT}, runtime, output}); !linked) {
    std::fprintf(stderr, "%s\n", linked.error().message.c_str());
    std::abort();
  }
  return output;
}

/// Makes the program's folder the root of the file system, as root or in a user namespace.
static bool enterFolderOf(const std::string &program) {
  const std::string folder = std::filesystem::path(program).parent_path();
  return (chroot(folder.c_str()) == 0 || (unshare(CLONE_NEWUSER) == 0 && chroot(folder.c_str()) == 0)) &&
         chdir("/") == 0;
}

/// In the child: never returns. Status 125 says that the folder could not be made the root.
[[noreturn]] static void becomeProgram(std::vector<std::string> command, bool alone) {
  if (alone) {
    if (!enterFolderOf(command[0]))
      _exit(125);
    command[0] = "/" + std::filesystem::path(command[0]).filename().string();
  }
  std::vector<char *> arguments;
  for (std::string &argument : command)
    arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  _exit(126);
}

std::optional<Outcome> run(const std::vector<std::string> &command, bool alone) {
  int ends[2];
  if (pipe(ends) != 0)
    std::abort();
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    becomeProgram(command, alone);
  }
  close(ends[1]);
  Outcome outcome;
  char buffer[4096];
  for (ssize_t count; (count = read(ends[0], buffer, sizeof(buffer))) > 0;)
    outcome.output.append(buffer, static_cast<size_t>(count));
  close(ends[0]);
  waitpid(child, &outcome.status, 0);
  if (alone && WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 125)
    return std::nullopt;
  return outcome;
}

/// The `index`th T of the table at `offset` of `bytes`.
template <class T> static T entry(const std::string &bytes, uint64_t offset, uint64_t index = 0) {
  T value;
  std::memcpy(&value, bytes.data() + offset + index * sizeof(T), sizeof(T));
  return value;
}

std::vector<std::string> definedSymbols(const std::string &elf) {
  const auto header = entry<Elf64_Ehdr>(elf, 0);
  std::vector<std::string> names;
  for (int i = 0; i < header.e_shnum; ++i) {
    const auto section = entry<Elf64_Shdr>(elf, header.e_shoff, i);
    if (section.sh_type != SHT_SYMTAB)
      continue;
    const auto strings = entry<Elf64_Shdr>(elf, header.e_shoff, section.sh_link);
    for (uint64_t k = 0; k < section.sh_size / sizeof(Elf64_Sym); ++k)
      if (const auto symbol = entry<Elf64_Sym>(elf, section.sh_offset, k); symbol.st_shndx != SHN_UNDEF)
        names.emplace_back(elf.c_str() + strings.sh_offset + symbol.st_name);
  }
  return names;
}

} // namespace halftone::test
