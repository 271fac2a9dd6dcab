// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// halftone completion: a shell's script, written from the tables that parse command lines, so that it knows what they
// do.
#include "tools/halftone/Commands.h"

#include <algorithm>

namespace halftone::tool {
namespace {

struct Shell {
  std::string_view name;
  std::string (*script)();
};

} // namespace

/// Options whose value is a path say so by its name; those with choices as well take one of these too.
static bool takesPath(const Option &option) { return option.value == "FILE" || option.value == "FOLDER"; }

static std::string words(std::span<const std::string_view> names) {
  std::string text;
  for (const std::string_view name : names)
    text += (text.empty() ? "" : " ") + std::string(name);
  return text;
}

static std::vector<std::string_view> commandNames() {
  std::vector<std::string_view> names;
  for (const Command &command : commands())
    names.push_back(command.name);
  return names;
}

/// All options of a command line, without their groups.
static std::vector<Option> optionsOf(const CommandLine &line) {
  std::vector<Option> options;
  for (const OptionGroup &group : line.groups)
    options.insert(options.end(), group.options.begin(), group.options.end());
  return options;
}

/// `text` between single quotes, for any shell.
static std::string quoted(std::string_view text) {
  std::string result = "'";
  for (const char letter : text)
    result += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return result + "'";
}

//===-- bash ------------------------------------------------------------------------------------------------------===//

/// The cases "command option" whose value can be completed.
static std::string bashValues(const Command &command, const CommandLine &line) {
  std::string cases;
  for (const Option &option : optionsOf(line)) {
    const std::string start = "    '" + std::string(command.name) + " " + std::string(option.name) + "') ";
    if (option.value.empty())
      continue;
    cases += start;
    if (!option.choices.empty())
      cases += "choices=" + quoted(words(option.choices)) + " ";
    if (takesPath(option))
      cases += "files=yes ";
    cases += ";;\n";
  }
  return cases;
}

/// The case of an argument that is no option's value.
static std::string bashArguments(const Command &command, const CommandLine &line) {
  std::string options;
  for (const Option &option : optionsOf(line))
    options += (options.empty() ? "" : " ") + std::string(option.name);
  const std::string start = "    '" + std::string(command.name);
  return start + " '*)\n      if [[ $word == -* ]]; then choices=" + quoted(options) + "\n      else " +
         (line.argumentChoices.empty() ? "files=yes" : "choices=" + quoted(words(line.argumentChoices))) + "; fi ;;\n";
}

static std::string bashScript() {
  std::string values, arguments;
  for (const Command &command : commands()) {
    const CommandLine line = command.line();
    values += bashValues(command, line);
    arguments += bashArguments(command, line);
  }
  return R"(# Completion of halftone for bash: source <(halftone completion bash)
_halftone() {
  local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} choices='' files=''
  # bash makes '=' a word of its own: --format=int4 is three.
  if [[ $word == '=' ]]; then word=''; elif [[ $option == '=' ]]; then option=${COMP_WORDS[COMP_CWORD-2]}; fi
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W ')" +
         words(commandNames()) + R"( --help --version' -- "$word"))
    return
  fi
  case "$command $option" in
)" + values +
         arguments +
         R"(  esac
  COMPREPLY=($(compgen -W "$choices" -- "$word"))
  if [[ $files ]]; then compopt -o filenames; COMPREPLY+=($(compgen -f -- "$word")); fi
}
complete -F _halftone halftone
)";
}

//===-- zsh -------------------------------------------------------------------------------------------------------===//

/// `text` inside of a specification of _arguments, where colons and brackets have a meaning.
static std::string escaped(std::string_view text) {
  std::string result;
  for (const char letter : text)
    result += (std::string_view(":[]\\").find(letter) != std::string_view::npos ? "\\" : "") + std::string(1, letter);
  return result;
}

/// "--format=[how weights are stored]:NAME:"; what may follow is the last part.
static std::string zshOption(const Option &option) {
  std::string text(option.name);
  if (!option.value.empty())
    text += option.name.starts_with("--") ? "=" : "+";
  text += "[" + escaped(option.help) + "]";
  if (!option.value.empty())
    text += ":" + std::string(option.value) + ":";
  if (takesPath(option))
    text += option.choices.empty() ? "_files" : "{_files; compadd " + words(option.choices) + "}";
  else if (!option.choices.empty())
    text += "(" + words(option.choices) + ")";
  return quoted(text);
}

static std::string zshScript() {
  std::string names, cases;
  for (const Command &command : commands()) {
    const CommandLine line = command.line();
    names += " " + quoted(std::string(command.name) + ":" + escaped(command.help));
    cases += "    " + std::string(command.name) + ") _arguments";
    for (const Option &option : optionsOf(line))
      cases += " \\\n      " + zshOption(option);
    cases +=
        " \\\n      " +
        quoted(line.argumentChoices.empty() ? "*:FILE:_files" : "*:argument:(" + words(line.argumentChoices) + ")") +
        " ;;\n";
  }
  return "#compdef halftone\n# Completion of halftone for zsh: source <(halftone completion zsh)\n_halftone() {\n"
         "  local -a names=(" +
         names.substr(1) +
         ")\n  if ((CURRENT == 2)); then _describe command names; return; fi\n"
         "  local command=$words[2]\n  shift words; ((CURRENT--))\n  case $command in\n" +
         cases + "  esac\n}\ncompdef _halftone halftone\n";
}

//===-- fish ------------------------------------------------------------------------------------------------------===//

static std::string fishOption(const Command &command, const Option &option) {
  const bool isLong = option.name.starts_with("--");
  std::string text = "complete -c halftone -n '__fish_seen_subcommand_from " + std::string(command.name) + "' " +
                     (isLong ? "-l " : "-s ") + std::string(option.name.substr(isLong ? 2 : 1));
  if (!option.value.empty())
    text += takesPath(option) ? " -r -F" : " -x";
  if (!option.choices.empty())
    text += " -a " + quoted(words(option.choices));
  return text + " -d " + quoted(option.help) + "\n";
}

static std::string fishScript() {
  std::string text = "# Completion of halftone for fish: halftone completion fish | source\n";
  for (const Command &command : commands()) {
    const CommandLine line = command.line();
    text += "complete -c halftone -n __fish_use_subcommand -f -a " + std::string(command.name) + " -d " +
            quoted(command.help) + "\n";
    for (const Option &option : optionsOf(line))
      text += fishOption(command, option);
    if (!line.argumentChoices.empty())
      text += "complete -c halftone -n '__fish_seen_subcommand_from " + std::string(command.name) + "' -f -a " +
              quoted(words(line.argumentChoices)) + "\n";
  }
  return text;
}

//===-- The command -----------------------------------------------------------------------------------------------===//

static constexpr Shell shells[] = {{"bash", bashScript}, {"zsh", zshScript}, {"fish", fishScript}};

static std::vector<std::string_view> shellNames() {
  std::vector<std::string_view> names;
  for (const Shell &shell : shells)
    names.push_back(shell.name);
  return names;
}

namespace {

struct CompletionOptions {
  const Shell *shell = nullptr;
  bool help = false;
};

} // namespace

static CommandLine commandLine(CompletionOptions &options) {
  const auto takeShell = [&options](std::string_view name) -> Status {
    const Shell *found =
        std::find_if(std::begin(shells), std::end(shells), [&](auto &row) { return row.name == name; });
    if (found == std::end(shells))
      return Error{"no completion for '" + std::string(name) + "'; there are " + list(shellNames())};
    options.shell = found;
    return {};
  };
  return {"halftone completion SHELL",
          "Writes a script that completes halftone's commands, options and their values; the shells are bash, zsh and "
          "fish. For bash: source <(halftone completion bash)",
          {{"Options", {{"--help", "", "print this", store(options.help)}}}},
          takeShell,
          shellNames()};
}

CommandLine completionLine() {
  static CompletionOptions unread;
  return commandLine(unread);
}

static Status checkComplete(const CompletionOptions &options) {
  return options.shell ? Status() : Error{"no shell given; there are " + list(shellNames())};
}

static Status printScript(CompletionOptions &options) { return print(options.shell->script()); }

Expected<int> completionCommand(std::span<const std::string_view> arguments) {
  return execute(commandLine, arguments, checkComplete, printScript);
}

} // namespace halftone::tool
