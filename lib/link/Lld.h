// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The linker inside this process.
#pragma once

#include "lib/io/Result.h"

#include <string>
#include <vector>

namespace halftone::link {

/// Runs lld for ELF with `arguments` and with what makes its output depend on its input alone. One call at a time per
/// process: lld's state is global. The error begins with what cannot be linked, `output`, and has the linker's own
/// words, without its name.
Status runLld(const std::vector<std::string> &arguments, const std::string &output);

} // namespace halftone::link
