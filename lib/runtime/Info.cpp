// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A scanner for JSON that keeps nothing but its place and the depth of nesting.
#include "lib/runtime/Info.h"

#include "lib/runtime/Figures.h"

#include <algorithm>
#include <cstdlib>

namespace halftone::runtime {

namespace {

class JsonScanner {
public:
  explicit JsonScanner(std::string_view text) : text(text) {}

  bool take(char wanted) {
    skipSpace();
    if (place >= text.size() || text[place] != wanted)
      return false;
    ++place;
    return true;
  }

  std::optional<std::string> string() {
    if (!take('"'))
      return std::nullopt;
    std::string value;
    while (place < text.size() && text[place] != '"')
      if (text[place] != '\\')
        value.push_back(text[place++]);
      else if (!appendEscape(value))
        return std::nullopt;
    return take('"') ? std::optional(value) : std::nullopt;
  }

  // A string or a bare word; false for objects and arrays, which are skipped whole.
  bool value(std::optional<std::string> &result) {
    result.reset();
    skipSpace();
    if (place >= text.size())
      return false;
    if (text[place] == '"')
      return (result = string()).has_value();
    if (text[place] == '{' || text[place] == '[')
      return skipNested();
    const size_t end = std::min(text.find_first_of(",}] \t\r\n", place), text.size());
    result = std::string(text.substr(place, end - place));
    place = end;
    return !result->empty();
  }

  /// A whole number that is not negative.
  std::optional<int64_t> number() {
    std::optional<std::string> word;
    if (!value(word) || !word || word->empty() || word->find_first_not_of("0123456789") != std::string::npos)
      return std::nullopt;
    return std::strtoll(word->c_str(), nullptr, 10);
  }

  /// From the outermost object's start to the value of `key`; false when there is none.
  bool find(std::string_view key) {
    if (!take('{'))
      return false;
    do {
      const std::optional<std::string> name = string();
      std::optional<std::string> skipped;
      if (!name || !take(':'))
        return false;
      if (*name == key)
        return true;
      if (!value(skipped))
        return false;
    } while (take(','));
    return false;
  }

private:
  void skipSpace() { place = std::min(text.find_first_not_of(" \t\r\n", place), text.size()); }

  bool skipNested() {
    int depth = 0;
    do {
      skipSpace();
      if (place >= text.size())
        return false;
      if (text[place] == '"') {
        if (!string())
          return false;
        continue;
      }
      depth += text[place] == '{' || text[place] == '[';
      depth -= text[place] == '}' || text[place] == ']';
      ++place;
    } while (depth > 0);
    return true;
  }

  // place is at a backslash. Escapes of characters beyond ASCII are not needed for keys and names and read as '?'.
  bool appendEscape(std::string &value) {
    static constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    if (place + 1 >= text.size())
      return false;
    const char letter = text[place + 1];
    place += 2;
    if (const size_t known = letters.find(letter); known != std::string_view::npos) {
      value.push_back(meanings[known]);
      return true;
    }
    if (letter != 'u' || place + 4 > text.size())
      return false;
    const long code = std::strtol(std::string(text.substr(place, 4)).c_str(), nullptr, 16);
    value.push_back(code < 128 ? static_cast<char>(code) : '?');
    place += 4;
    return true;
  }

  std::string_view text;
  size_t place = 0;
};

} // namespace

std::optional<std::string> findInJson(std::string_view json, std::string_view key) {
  JsonScanner scanner(json);
  std::optional<std::string> value;
  return scanner.find(key) && scanner.value(value) ? value : std::nullopt;
}

/// One kernel: [function, does, bytes, operations, position_bytes, [instruction, ...]].
static std::optional<Kernel> kernelAt(JsonScanner &scanner) {
  if (!scanner.take('['))
    return std::nullopt;
  const std::optional<std::string> function = scanner.string();
  const std::optional<std::string> does = scanner.take(',') ? scanner.string() : std::nullopt;
  std::optional<int64_t> numbers[3];
  for (std::optional<int64_t> &number : numbers)
    if (!scanner.take(',') || !(number = scanner.number()))
      return std::nullopt;
  if (!function || !does || !scanner.take(',') || !scanner.take('['))
    return std::nullopt;
  Kernel kernel{*function, *does, *numbers[0], *numbers[1], *numbers[2], {}};
  while (!scanner.take(']')) {
    if (!kernel.dots.empty() && !scanner.take(','))
      return std::nullopt;
    const std::optional<std::string> dot = scanner.string();
    if (!dot)
      return std::nullopt;
    kernel.dots.push_back(*dot);
  }
  return scanner.take(']') ? std::optional(kernel) : std::nullopt;
}

Expected<std::vector<Kernel>> kernelsIn(std::string_view json) {
  JsonScanner scanner(json);
  if (!scanner.find("kernels") || !scanner.take('['))
    return Error{"it has no list of kernels"};
  std::vector<Kernel> kernels;
  while (!scanner.take(']')) {
    std::optional<Kernel> kernel;
    if ((!kernels.empty() && !scanner.take(',')) || !(kernel = kernelAt(scanner)))
      return Error{"kernel " + std::to_string(kernels.size()) + " is not what it should be"};
    kernels.push_back(*kernel);
  }
  return kernels;
}

std::string factsLine(const Facts &facts, std::string_view info, const RunFacts &run) {
  const std::optional<std::string> bits = findInJson(info, "bits_per_weight");
  const double perWeight = bits ? std::strtod(bits->c_str(), nullptr)
                           : facts.parameters > 0
                               ? 8.0 * static_cast<double>(facts.weight_bytes) / static_cast<double>(facts.parameters)
                               : 0;
  const double rate = run.seconds > 0 ? static_cast<double>(run.tokens) / run.seconds : 0;
  std::string line = std::to_string(facts.parameters) + " parameters, " +
                     findInJson(info, "format").value_or("unknown format") + ", " + fixed(perWeight, 2) +
                     " bits per weight, " + std::to_string(facts.weight_bytes) + " bytes, " +
                     std::to_string(run.tokens) + " tokens at " + fixed(rate, 1) + " tokens/s, " +
                     std::to_string(run.threads) + (run.threads == 1 ? " thread" : " threads");
  if (run.seed)
    line += ", seed " + std::to_string(*run.seed);
  return line;
}

} // namespace halftone::runtime
