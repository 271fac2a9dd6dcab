// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The one way to standard output.
#pragma once

#include "lib/io/Result.h"

#include <string_view>

namespace halftone::tool {

/// Writes all of `text` to standard output, at once: "standard output: cannot write: No space left on device".
Status print(std::string_view text);

} // namespace halftone::tool
