// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What `halftone` can do, one file per command.
#pragma once

#include "lib/io/Result.h"

#include <span>
#include <string>
#include <string_view>

namespace halftone::tool {

/// `halftone compile MODEL.onnx`: an executable from a model.
Status compileCommand(std::span<const std::string_view> arguments);

/// `halftone eval MODEL.onnx`: how far executables are from the model they were compiled from.
Status evalCommand(std::span<const std::string_view> arguments);

/// The folder of the runtime that executables are linked from.
std::string findRuntime();

} // namespace halftone::tool
