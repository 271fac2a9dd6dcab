// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The one place that turns errno into words; strerror itself would bring locales into the emitted
// binary.
#include "lib/io/SystemError.h"

#include <cstring>

namespace halftone::io {

Error systemError(std::string_view path, std::string_view action, int code) {
  const char *reason = strerrordesc_np(code);
  const std::string words = reason ? reason : "error " + std::to_string(code);
  return {std::string(path) + ": cannot " + std::string(action) + ": " + words};
}

} // namespace halftone::io
