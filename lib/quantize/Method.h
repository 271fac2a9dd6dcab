// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The methods that quantize weights, by name, and lists of them.
#pragma once

#include "lib/calibrate/Statistics.h"

#include <span>
#include <string_view>
#include <vector>

namespace halftone::quantize {

struct Method {
  std::string_view name;
  /// What it wants to know of the linears' inputs; nothing: it needs no data.
  calibrate::Gather gather;
  /// Of a method that only rescales weights for another to quantize them: that one, unless the user names one. Empty of
  /// a method that quantizes.
  std::string_view followedBy;
  std::string_view help;
};

/// All of them, in the order of --help. Each is the name of a pass.
std::span<const Method> methods();
/// The method of that name, or null.
const Method *findMethod(std::string_view name);

/// The methods that `list` names, "awq,gptq", in the order in which they act: any that rescale, then the one that
/// quantizes, which may be left out. Fails naming what is unknown, named twice, or out of place.
Expected<std::vector<const Method *>> parseMethods(std::string_view list);

/// What all of them want to know.
calibrate::Gather gatheredFor(std::span<const Method *const> methods);

/// "awq,gptq"
std::string join(std::span<const Method *const> methods);

} // namespace halftone::quantize
