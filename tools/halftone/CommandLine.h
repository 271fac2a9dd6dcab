// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A command's options as one table, which both parsing and --help read. LLVM's cl::opt would offer the user every
// option that a linked library registers.
#pragma once

#include "lib/io/Result.h"
#include "tools/halftone/Output.h"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace halftone::tool {

/// One option; `--name=VALUE` and `--name VALUE` are the same.
struct Option {
  /// With its dashes: "--format", "-o".
  std::string_view name;
  /// What the value is called; empty for a switch, which takes none.
  std::string_view value;
  std::string_view help;
  /// Takes the value, or says what is wrong with it; the option's name is put before that.
  std::function<Status(std::string_view value)> take;
  /// All values there are, besides files where it takes one, in the order of --help; empty when they cannot be listed.
  std::vector<std::string_view> choices = {};
};

/// Options that --help shows together.
struct OptionGroup {
  std::string_view title;
  std::vector<Option> options;
};

/// What a command takes.
struct CommandLine {
  /// "halftone compile MODEL.onnx [options]"
  std::string_view usage;
  std::string_view description;
  std::vector<OptionGroup> groups;
  /// Takes an argument that is no option.
  std::function<Status(std::string_view argument)> takeArgument;
  /// All arguments there are; empty when they are files.
  std::vector<std::string_view> argumentChoices = {};
};

/// Gives each argument to its option. An unknown option is an error naming the nearest one.
Status parse(const CommandLine &line, std::span<const std::string_view> arguments);

/// The text of --help.
std::string help(const CommandLine &line);

/// Of a command that is done.
inline Expected<int> exitStatus(const Status &done) { return done ? Expected<int>(0) : done.error(); }
inline Expected<int> exitStatus(const Expected<int> &status) { return status; }

/// A command: reads the arguments into its options by the table that `lineOf` makes of them, then prints --help when it
/// was asked for (`Options::help`), else runs `body` if `check` finds nothing missing. \returns the exit status.
template <class Options, class Body>
Expected<int> execute(CommandLine (*lineOf)(Options &), std::span<const std::string_view> arguments,
                      Status (*check)(const Options &), Body body) {
  Options options;
  const CommandLine line = lineOf(options);
  if (Status parsed = parse(line, arguments); !parsed)
    return parsed.error();
  if (options.help)
    return exitStatus(print(help(line)));
  if (Status complete = check(options); !complete)
    return complete.error();
  return exitStatus(body(options));
}

/// "exe, obj, mlir"
std::string list(std::span<const std::string_view> names);

/// An option's `take` that stores the text, the switch (or its opposite), a whole number from `least` on, or a number
/// from 0 on.
std::function<Status(std::string_view)> store(std::string &place);
std::function<Status(std::string_view)> store(bool &place);
std::function<Status(std::string_view)> storeNot(bool &place);
std::function<Status(std::string_view)> store(int64_t &place, int64_t least);
std::function<Status(std::string_view)> store(double &place);
/// Of an argument that is no option: one that stores the path of the only model. \param hint follows the error when
/// there are two.
std::function<Status(std::string_view)> takeModel(std::string &place, const char *hint = "");
/// One that stores a text that is not empty; `what` says what it should be: "what stands between documents".
std::function<Status(std::string_view)> storeSome(std::string &place, const char *what);
/// One that stores a number of bytes: 1GB is 10^9, 1.5MB, 100KB, 1024.
std::function<Status(std::string_view)> storeBytes(int64_t &place);

} // namespace halftone::tool
