// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Code of another family of processors: linked with Caller.c to a program that qemu runs.
#include "lib/link/Lld.h"
#include "test/io/TemporaryFolder.h"
#include "test/kernels/Code.h"
#include "test/kernels/Memory.h"
#include "test/kernels/Request.h"

#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Program.h"

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <mutex>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace halftone::test {

/// lib/halftone/FAMILY of the build, and Caller.c as an object, put there by test/kernels/CMakeLists.txt.
static std::string runtimeOf(const std::string &family) { return HALFTONE_RUNTIMES "/" + family; }
static std::string callerOf(const std::string &family) { return HALFTONE_CALLERS "/" + family + ".o"; }

static std::string emulatorOf(const std::string &family) {
  const llvm::ErrorOr<std::string> found = llvm::sys::findProgramByName("qemu-" + family);
  return found ? *found : "";
}

std::string whatIsMissing(const std::string &family) {
  if (emulatorOf(family).empty())
    return "qemu-" + family;
  return llvm::sys::fs::exists(callerOf(family)) ? "" : "C library of " + family;
}

/// Links the object to a static program at a fixed address. \returns what went wrong, or nothing.
static std::string link(const std::string &object, const std::string &family, const std::string &program) {
  const std::string runtime = runtimeOf(family);
  const auto file = [&](const char *name) { return runtime + "/" + name; };
  std::vector<std::string> line = {
      "-static",           "--no-pie",       "-o",   program,        file("crt1.o"), file("crti.o"),
      file("crtbeginT.o"), callerOf(family), object, "--start-group"};
  for (const char *archive : {"libc.a", "libgcc.a", "libgcc_eh.a", "libm.a"})
    line.push_back(file(archive));
  line.insert(line.end(), {"--end-group", file("crtend.o"), file("crtn.o")});
  static std::mutex oneAtATime; // lld's state is global
  const std::lock_guard lock(oneAtATime);
  const Status linked = link::runLld(line, program);
  return linked ? "" : linked.error().message;
}

static std::map<std::string, uint64_t> functionsOf(const std::string &program) {
  std::map<std::string, uint64_t> functions;
  auto file = llvm::object::ObjectFile::createObjectFile(program);
  if (!file) {
    ADD_FAILURE() << llvm::toString(file.takeError());
    return functions;
  }
  for (const llvm::object::SymbolRef &symbol : file->getBinary()->symbols())
    if (auto name = symbol.getName())
      if (auto address = symbol.getAddress())
        functions[name->str()] = *address;
  return functions;
}

namespace {

class Emulated : public Code {
public:
  Emulated(const std::string &family, const std::string &program, std::unique_ptr<TemporaryFolder> folder)
      : folder(std::move(folder)), functions(functionsOf(program)) {
    int to[2], from[2];
    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
      std::abort();
    const std::string emulator = emulatorOf(family), descriptor = std::to_string(Memory::file());
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
    const char *line[] = {emulator.c_str(), "-cpu", "max", program.c_str(), descriptor.c_str(), nullptr};
    if (posix_spawn(&process, line[0], &actions, nullptr, const_cast<char **>(line), environ) != 0)
      ADD_FAILURE() << "cannot run " << emulator;
    posix_spawn_file_actions_destroy(&actions);
    close(to[0]);
    close(from[1]);
    requests = fdopen(to[1], "w");
    answers = fdopen(from[0], "r");
  }

  ~Emulated() override {
    fclose(requests); // which ends it
    fclose(answers);
    if (process > 0)
      waitpid(process, nullptr, 0);
  }

  void call(const std::string &function, const Call &call, int threads) override {
    const auto found = functions.find(function);
    ASSERT_NE(found, functions.end()) << function;
    const std::vector<Mapping> mappings = Memory::all();
    Request request = {.function = found->second,
                       .weights = reinterpret_cast<uintptr_t>(call.weights),
                       .cache = reinterpret_cast<uintptr_t>(call.cache),
                       .arena = reinterpret_cast<uintptr_t>(call.arena),
                       .own = {},
                       .threads = threads,
                       .mappings = mappings.size()};
    std::ranges::copy(call.own, request.own);
    fwrite(&request, sizeof(request), 1, requests);
    fwrite(mappings.data(), sizeof(Mapping), mappings.size(), requests);
    fflush(requests);
    ASSERT_EQ(fgetc(answers), '.') << function << " did not return";
  }

private:
  std::unique_ptr<TemporaryFolder> folder; // holds the program
  std::map<std::string, uint64_t> functions;
  pid_t process = -1;
  FILE *requests = nullptr, *answers = nullptr;
};

} // namespace

std::unique_ptr<Code> loadEmulated(std::span<const char> object, const std::string &family) {
  auto folder = std::make_unique<TemporaryFolder>();
  const std::string path = *folder / "model.o", program = *folder / "program";
  std::ofstream(path, std::ios::binary).write(object.data(), static_cast<std::streamsize>(object.size()));
  if (const std::string wrong = link(path, family, program); !wrong.empty()) {
    ADD_FAILURE() << wrong;
    return nullptr;
  }
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  return std::make_unique<Emulated>(family, program, std::move(folder));
}

} // namespace halftone::test
