// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Parsing and printing the tables of options.
#include "tools/halftone/CommandLine.h"

#include "llvm/ADT/StringRef.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace halftone::tool {

/// The width of the terminals that --help is written for.
static constexpr size_t lineWidth = 100;
/// Where the explanations start.
static constexpr size_t helpColumn = 32;

static const Option *find(const CommandLine &line, std::string_view name) {
  for (const OptionGroup &group : line.groups)
    for (const Option &option : group.options)
      if (option.name == name)
        return &option;
  return nullptr;
}

/// The option that `name` is most likely a slip of; nothing when none is near.
static const Option *nearest(const CommandLine &line, std::string_view name) {
  const Option *best = nullptr;
  unsigned least = static_cast<unsigned>(name.size()) / 3 + 1;
  for (const OptionGroup &group : line.groups)
    for (const Option &option : group.options)
      if (const unsigned distance = llvm::StringRef(option.name).edit_distance(name, true, least); distance < least) {
        best = &option;
        least = distance;
      }
  return best;
}

static Error unknown(const CommandLine &line, std::string_view name) {
  const Option *meant = nearest(line, name);
  return {"unknown option '" + std::string(name) + "'" +
          (meant ? "; did you mean '" + std::string(meant->name) + "'?" : "; --help lists all")};
}

/// Gives `option` its value: `given` from behind '=', else the next argument, which is then consumed.
static Status take(const Option &option, std::optional<std::string_view> given,
                   std::span<const std::string_view> &rest) {
  if (option.value.empty() && given)
    return Error{std::string(option.name) + " takes no value, but was given '" + std::string(*given) + "'"};
  if (!option.value.empty() && !given) {
    if (rest.empty())
      return Error{std::string(option.name) + " needs a value: " + std::string(option.value)};
    given = rest.front();
    rest = rest.subspan(1);
  }
  if (Status taken = option.take(given.value_or("")); !taken)
    return Error{std::string(option.name) + ": " + taken.error().message};
  return {};
}

Status parse(const CommandLine &line, std::span<const std::string_view> arguments) {
  while (!arguments.empty()) {
    const std::string_view argument = arguments.front();
    arguments = arguments.subspan(1);
    Status taken;
    if (!argument.starts_with('-') || argument == "-") {
      taken = line.takeArgument(argument);
    } else {
      const size_t equals = argument.find('=');
      const Option *option = find(line, argument.substr(0, equals));
      if (!option)
        return unknown(line, argument.substr(0, equals));
      taken =
          take(*option, equals == std::string_view::npos ? std::nullopt : std::optional(argument.substr(equals + 1)),
               arguments);
    }
    if (!taken)
      return taken;
  }
  return {};
}

/// `text` broken into lines, all but the first indented by `indent`.
static std::string wrap(std::string_view text, size_t indent) {
  std::string result;
  const size_t width = lineWidth - indent;
  while (text.size() > width) {
    const size_t space = text.rfind(' ', width);
    if (space == std::string_view::npos)
      break;
    result += std::string(text.substr(0, space)) + "\n" + std::string(indent, ' ');
    text.remove_prefix(space + 1);
  }
  return result + std::string(text);
}

static std::string help(const Option &option) {
  std::string start = "  " + std::string(option.name);
  if (!option.value.empty())
    start += (option.name.starts_with("--") ? "=" : " ") + std::string(option.value);
  if (start.size() + 2 > helpColumn)
    start += "\n";
  start.resize(start.ends_with('\n') ? start.size() + helpColumn : helpColumn, ' ');
  std::string text(option.help);
  if (!option.choices.empty())
    text += ": " + list(option.choices);
  return start + wrap(text, helpColumn) + "\n";
}

std::string help(const CommandLine &line) {
  std::string text = "usage: " + std::string(line.usage) + "\n\n" + wrap(line.description, 0) + "\n";
  for (const OptionGroup &group : line.groups) {
    text += "\n" + std::string(group.title) + ":\n";
    for (const Option &option : group.options)
      text += help(option);
  }
  return text;
}

std::string list(std::span<const std::string_view> names) {
  std::string text;
  for (const std::string_view name : names)
    text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

std::function<Status(std::string_view)> store(std::string &place) {
  return [&place](std::string_view value) -> Status {
    place = value;
    return {};
  };
}

std::function<Status(std::string_view)> store(bool &place) {
  return [&place](std::string_view) -> Status {
    place = true;
    return {};
  };
}

std::function<Status(std::string_view)> store(int64_t &place, int64_t least) {
  return [&place, least](std::string_view value) -> Status {
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), place);
    if (error != std::errc() || end != value.data() + value.size() || place < least)
      return Error{"'" + std::string(value) + "' is not a whole number from " + std::to_string(least) + " on"};
    return {};
  };
}

std::function<Status(std::string_view)> storeNot(bool &place) {
  return [&place](std::string_view) -> Status {
    place = false;
    return {};
  };
}

std::function<Status(std::string_view)> store(double &place) {
  return [&place](std::string_view value) -> Status {
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), place);
    if (error != std::errc() || end != value.data() + value.size() || !std::isfinite(place) || place < 0)
      return Error{"'" + std::string(value) + "' is not a number from 0 on"};
    return {};
  };
}

std::function<Status(std::string_view)> takeModel(std::string &place, const char *hint) {
  return [&place, hint](std::string_view path) -> Status {
    if (!place.empty())
      return Error{"two models given, '" + place + "' and '" + std::string(path) + "'" + hint};
    place = path;
    return {};
  };
}

std::function<Status(std::string_view)> storeSome(std::string &place, const char *what) {
  return [&place, what](std::string_view value) -> Status {
    place = value;
    return value.empty() ? Error{std::string("'' is not ") + what} : Status();
  };
}

std::function<Status(std::string_view)> storeBytes(int64_t &place) {
  return [&place](std::string_view value) -> Status {
    static constexpr std::pair<std::string_view, double> units[] = {{"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"", 1}};
    const auto *unit = std::ranges::find_if(units, [&](auto &row) { return value.ends_with(row.first); });
    const std::string_view digits = value.substr(0, value.size() - unit->first.size());
    double number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    const double bytes = number * unit->second;
    if (error != std::errc() || end != digits.data() + digits.size() || !(bytes >= 1 && bytes < 0x1p62))
      return Error{"'" + std::string(value) + "' is no size; 1GB, 1.5MB and 4096 are"};
    place = static_cast<int64_t>(bytes);
    return {};
  };
}

} // namespace halftone::tool
