// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Several object files as one file that other programs link: an archive, or one larger object.
#pragma once

#include "lib/io/Result.h"

#include <string>
#include <vector>

namespace halftone::link {

/// Puts `objects` into a new static library (ar) at `output`, members named by their files, without times or owners.
Status writeArchive(const std::vector<std::string> &objects, const std::string &output);

/// Links `objects` into one relocatable object (ld -r) at `output`. One call of lld at a time per process.
Status linkRelocatable(const std::vector<std::string> &objects, const std::string &output);

} // namespace halftone::link
