// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading, matching and writing pins.
#include "lib/quantize/FormatPins.h"

#include <algorithm>
#include <fnmatch.h>
#include <map>

namespace halftone::quantize {

static Expected<FormatPin> parsePin(std::string_view text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string_view::npos || equals == 0)
    return Error{"'" + std::string(text) + "' is not GLOB=FORMAT"};
  Expected<formats::Format> format = formats::parse(text.substr(equals + 1));
  if (!format)
    return Error{std::string(text) + ": " + format.error().message};
  return FormatPin{std::string(text.substr(0, equals)), *format};
}

Expected<std::vector<FormatPin>> parsePins(std::string_view list) {
  std::vector<FormatPin> pins;
  for (size_t start = 0; start < list.size();) {
    const size_t end = std::min(list.find(',', start), list.size());
    Expected<FormatPin> pin = parsePin(list.substr(start, end - start));
    if (!pin)
      return pin.error();
    pins.push_back(std::move(*pin));
    start = end + 1;
  }
  return pins;
}

const FormatPin *findPin(std::span<const FormatPin> pins, const std::string &name) {
  const auto found =
      std::ranges::find_if(pins, [&](const FormatPin &pin) { return fnmatch(pin.glob.c_str(), name.c_str(), 0) == 0; });
  return found == pins.end() ? nullptr : &*found;
}

/// The glob that matches `name` alone.
static std::string escaped(const std::string &name) {
  std::string glob;
  for (char c : name)
    glob += std::string(std::string_view("*?[\\").find(c) != std::string_view::npos ? "\\" : "") + c;
  return glob;
}

std::string optionsFor(std::span<const std::string> names, std::span<const formats::Format> formats) {
  std::map<std::string, size_t> counts;
  for (const formats::Format &format : formats)
    ++counts[formats::name(format)];
  if (counts.empty())
    return "";
  const std::string most = std::ranges::max_element(counts, {}, [](const auto &entry) { return entry.second; })->first;
  std::string pins;
  for (size_t i = 0; i < names.size(); ++i)
    if (const std::string format = formats::name(formats[i]); format != most)
      pins += (pins.empty() ? " --formats=" : ",") + escaped(names[i]) + "=" + format;
  return "--format=" + most + pins;
}

} // namespace halftone::quantize
