// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Formats that weights have by name.
#pragma once

#include "lib/formats/Format.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace halftone::quantize {

/// Weights whose names match `glob` (fnmatch: `*`, `?`, `[a-z]`) have `format`.
struct FormatPin {
  std::string glob;
  formats::Format format;
};

/// Reads "GLOB=FORMAT,GLOB=FORMAT". \returns an error naming the part that is no such pair, or has no such format.
Expected<std::vector<FormatPin>> parsePins(std::string_view list);

/// The first pin that a weight called `name` matches, or null.
const FormatPin *findPin(std::span<const FormatPin> pins, const std::string &name);

/// The options that give the weights called `names` those formats, as a user may write them: the most frequent format
/// as
/// --format, the others by name. An empty text for no weights.
std::string optionsFor(std::span<const std::string> names, std::span<const formats::Format> formats);

} // namespace halftone::quantize
