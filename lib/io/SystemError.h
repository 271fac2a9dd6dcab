// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Turns a failed system call into an Error: the path, what was tried, and the system's own words.
#pragma once

#include "lib/io/Result.h"

#include <string_view>

namespace halftone::io {

/// "stories.onnx: cannot open: No such file or directory".
/// \param action what was tried, in the infinitive ("open", "write 4096 bytes at 8192").
/// \param code the errno of the failed call.
Error systemError(std::string_view path, std::string_view action, int code);

} // namespace halftone::io
