// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// halftone: the compiler's command line. Exit code 0, or 1 after one error on stderr; a command that compares says with
// 1 that there is a difference, and with 2 that there was an error.
#include "tools/halftone/Commands.h"
#include "tools/halftone/Signals.h"

#include "llvm/Support/raw_ostream.h"

#include <string>
#include <vector>

using namespace halftone;

std::span<const tool::Command> tool::commands() {
  static constexpr Command table[] = {
      {"bench", "how fast a model is in several formats, beside other programs", benchCommand, benchLine},
      {"bisect", "where two models part: stage, block, operation, weight", bisectCommand, bisectLine, /*trouble=*/2},
      {"compile", "an executable from a model", compileCommand, compileLine},
      {"completion", "completion of command lines for a shell", completionCommand, completionLine},
      {"eval", "how far executables are from their model: perplexity, KL divergence", evalCommand, evalLine},
      {"inspect", "what a model or an executable consists of", inspectCommand, inspectLine},
      {"quantize", "an ONNX model with quantized weights from one without", quantizeCommand, quantizeLine},
      {"report", "what quantizing did, as a page or a table, from a report", reportCommand, reportLine},
      {"run", "a graph's outputs from its inputs, as arrays", runCommand, runLine},
  };
  return table;
}

static std::string commandNames() {
  std::string names;
  for (const tool::Command &command : tool::commands())
    names += (names.empty() ? "" : ", ") + std::string(command.name);
  return names;
}

/// Where the explanations of commands start.
static constexpr size_t nameWidth = 12;

static std::string help() {
  std::string text = "usage: halftone COMMAND [options]\n\nA quantizing compiler: from a trained model to one "
                     "standalone executable.\n\n";
  for (const tool::Command &command : tool::commands())
    text += "  " + (std::string(command.name) + std::string(nameWidth - command.name.size(), ' ')) +
            std::string(command.help) + "\n";
  return text + "\nhalftone COMMAND --help lists a command's options; halftone --version says which this is.\n";
}

/// Runs the command that the arguments name, and stores what its errors exit with. \returns the exit status.
static Expected<int> run(std::span<const std::string_view> arguments, int &trouble) {
  if (arguments.empty())
    return Error{"no command given; there are: " + commandNames() + "; --help says more"};
  const std::string_view name = arguments.front();
  if (name == "--help" || name == "-h" || name == "help")
    return tool::exitStatus(tool::print(help()));
  if (name == "--version")
    return tool::exitStatus(tool::print("halftone " HALFTONE_VERSION "\n"));
  for (const tool::Command &command : tool::commands())
    if (command.name == name) {
      trouble = command.trouble;
      return command.run(arguments.subspan(1));
    }
  return Error{"unknown command '" + std::string(name) + "'; there are: " + commandNames()};
}

int main(int argc, char **argv) {
  tool::handleSignals();
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  int trouble = 1;
  const Expected<int> status = run(arguments, trouble);
  if (status)
    return *status;
  llvm::errs() << "halftone: error: " << status.error().message << "\n";
  return trouble;
}
