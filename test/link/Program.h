// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the tests of lib/link link and run: segment.c with the system's C library.
#pragma once

#include "lib/link/Link.h"
#include "test/io/TemporaryFolder.h"

#include <optional>
#include <string>
#include <vector>

namespace halftone::test {

/// Fills `folder`/runtime with links to the start files and archives of the system's C library; gives its path.
std::string makeRuntimeFolder(const TemporaryFolder &folder);

/// Links segment.c to `folder`/`name`; gives its path.
std::string linkProgram(const TemporaryFolder &folder, std::string_view name = "program");

struct Outcome {
  int status = 0; ///< as waitpid gives it
  std::string output;
};

/// Runs `command`, in an empty file system that holds only the program when `alone`; nothing when the system does not
/// permit that.
std::optional<Outcome> run(const std::vector<std::string> &command, bool alone = false);

/// The bytes of the symbol names of an ELF file that define something, in the order of its table.
std::vector<std::string> definedSymbols(const std::string &elf);

} // namespace halftone::test
