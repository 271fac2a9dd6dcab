// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What `halftone` can do, one file per command.
#pragma once

#include "tools/halftone/CommandLine.h"

namespace halftone::tool {

/// `halftone compile MODEL.onnx`: an executable from a model.
Status compileCommand(std::span<const std::string_view> arguments);

} // namespace halftone::tool
