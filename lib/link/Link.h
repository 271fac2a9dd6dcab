// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Objects and the runtime into a static executable, inside this process: nothing of the user's machine is needed.
#pragma once

#include "lib/io/Result.h"

#include <string>
#include <vector>

namespace halftone::link {

struct LinkOptions {
  /// Object files, in the order in which their sections shall lie.
  std::vector<std::string> objects;
  /// Where the start files of C (crt1.o, crti.o, crtbeginT.o, crtend.o, crtn.o) and the archives lie. All archives of
  /// the folder are searched, in any order of their dependencies.
  std::string runtimeFolder;
  /// The executable, overwritten in place; a work file, as a failed link may leave half of it.
  std::string output;
};

/// Links a static executable at a fixed address (no PIE). Sections nobody reaches are dropped, symbols stay. The bytes
/// depend on the inputs' bytes only: no build id, no path, no time. One call at a time per process: lld's state is
/// global. The error has the linker's own words, without its name.
Status linkExecutable(const LinkOptions &options);

} // namespace halftone::link
