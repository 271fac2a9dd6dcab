// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What compiling will cost and give, said before it is done.
#pragma once

#include "lib/io/Result.h"

#include <string>

namespace halftone {

class Compilation;

/// Lines for the user: size, bits, peak memory, time. After the stage calibrate, which only marks where to look;
/// decides formats in the module.
Expected<std::string> describeDryRun(Compilation &model);

} // namespace halftone
