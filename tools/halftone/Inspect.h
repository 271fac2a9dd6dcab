// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What `halftone inspect` tells of each kind of file.
#pragma once

#include "lib/io/MappedFile.h"
#include "tools/halftone/Report.h"

namespace halftone::tool {

/// An ONNX model: what the file says, and what import recognises in it. Weights are not read.
Expected<Report> inspectModel(const std::string &path, const std::string &externalDataRoot);

/// An executable that `halftone compile` made.
Expected<Report> inspectExecutable(const io::MappedFile &program);

} // namespace halftone::tool
