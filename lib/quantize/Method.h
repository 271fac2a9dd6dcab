// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The methods that quantize weights, by name.
#pragma once

#include <span>
#include <string_view>

namespace halftone::quantize {

struct Method {
  std::string_view name;
  /// Whether it needs calibration data.
  bool needsData;
};

/// All of them, in the order of --help. Each is the name of a pass.
std::span<const Method> methods();
/// The method of that name, or null.
const Method *findMethod(std::string_view name);

} // namespace halftone::quantize
