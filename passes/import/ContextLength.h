// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How long a sequence the model was trained for, where the model or a file beside it says so.
#pragma once

#include "lib/onnx/Model.h"

#include "llvm/ADT/StringRef.h"

#include <optional>

namespace halftone::importer {

/// What is taken where nothing says it.
inline constexpr int64_t defaultContext = 2048;

/// From the model's metadata, else from a configuration file in its folder; nothing when none says. Fails when a file
/// or a value cannot be read.
Expected<std::optional<int64_t>> statedContext(const onnx::Model &model);

} // namespace halftone::importer
