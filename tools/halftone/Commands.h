// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What `halftone` can do, one file per command.
#pragma once

#include "tools/halftone/CommandLine.h"

#include <string>

namespace halftone::tool {

struct Command {
  std::string_view name, help;
  /// Gives the exit status.
  Expected<int> (*run)(std::span<const std::string_view> arguments);
  /// The command's options, for those who list them: their `take` is not to be called.
  CommandLine (*line)();
  /// The exit status after an error.
  int trouble = 1;
};

/// All commands, in the order of --help; the table stands in main.cpp.
std::span<const Command> commands();

/// `halftone bench MODEL.onnx`: how fast a model is in several formats.
Expected<int> benchCommand(std::span<const std::string_view> arguments);
CommandLine benchLine();

/// `halftone bisect A B`: where two models part.
Expected<int> bisectCommand(std::span<const std::string_view> arguments);
CommandLine bisectLine();

/// `halftone compile MODEL.onnx`: an executable from a model.
Expected<int> compileCommand(std::span<const std::string_view> arguments);
CommandLine compileLine();

/// `halftone completion bash`: a script that completes command lines.
Expected<int> completionCommand(std::span<const std::string_view> arguments);
CommandLine completionLine();

/// `halftone inspect FILE`: what a model or an executable consists of.
Expected<int> inspectCommand(std::span<const std::string_view> arguments);
CommandLine inspectLine();

/// `halftone quantize MODEL.onnx`: the same model with quantized linears.
Expected<int> quantizeCommand(std::span<const std::string_view> arguments);
CommandLine quantizeLine();

/// `halftone report REPORT.json`: a page or a table of what compiling reported.
Expected<int> reportCommand(std::span<const std::string_view> arguments);
CommandLine reportLine();

/// `halftone run MODEL.onnx`: a graph as a plain function of arrays.
Expected<int> runCommand(std::span<const std::string_view> arguments);
CommandLine runLine();

/// `halftone eval MODEL.onnx`: how far executables are from the model they were compiled from.
Expected<int> evalCommand(std::span<const std::string_view> arguments);
CommandLine evalLine();

/// The folder of the runtime that executables are linked from.
std::string findRuntime();

} // namespace halftone::tool
