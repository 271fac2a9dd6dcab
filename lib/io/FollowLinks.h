// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where a file that is to be written lies.
#pragma once

#include <string>

namespace halftone::io {

/// `path` with symbolic links followed, so that renaming onto it replaces the file and not a link; also when a link
/// points to a file that does not exist yet. `path` itself when there is neither file nor link.
std::string followLinks(std::string path);

} // namespace halftone::io
