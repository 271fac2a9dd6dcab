// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table of flags, and the parser that knows nothing but the table.
#include "lib/runtime/Options.h"

#include "lib/runtime/Threads.h"

#include <charconv>
#include <cstdlib>
#include <limits>

namespace halftone::runtime {

static Error invalid(std::string_view value, const std::string &expected) {
  return Error{"'" + std::string(value) + "' is not " + expected};
}

/// The whole of `text` as a decimal number between the bounds.
template <class T> static Expected<T> parseInteger(std::string_view text, T least, T most) {
  T value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string range = "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  if (text.empty() || end != text.data() + text.size() || code != std::errc() || value < least || value > most)
    return invalid(text, range);
  return value;
}

/// The whole of `text` as a decimal fraction; no hexadecimal, infinity or NaN.
static std::optional<double> parseFraction(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789.eE+-") != std::string_view::npos)
    return std::nullopt;
  const std::string copy(text);
  char *end = nullptr;
  const double value = std::strtod(copy.c_str(), &end);
  return *end == '\0' ? std::optional(value) : std::nullopt;
}

template <class T> static Status store(T &target, Expected<typename T::value_type> value) {
  if (!value)
    return value.error();
  target = *value;
  return {};
}

static constexpr int64_t mostTokens = int64_t(1) << 40;

static Status setNewTokens(Options &options, std::string_view value) {
  return store(options.newTokens, parseInteger<int64_t>(value, 0, mostTokens));
}
static Status setThreads(Options &options, std::string_view value) {
  return store(options.threads, parseInteger<int64_t>(value, 1, Team::mostThreads));
}
static Status setContext(Options &options, std::string_view value) {
  return store(options.context, parseInteger<int64_t>(value, 1, mostTokens));
}
static Status setLength(Options &options, std::string_view value) {
  return store(options.length, parseInteger<int64_t>(value, 1, mostTokens));
}
template <auto member> static Status setBenchTokens(Options &options, std::string_view value) {
  options.hasBenchOption = true;
  return store(options.measured.*member, parseInteger<int64_t>(value, 1, mostTokens));
}
static Status setRuns(Options &options, std::string_view value) {
  const Expected<int64_t> parsed = parseInteger<int64_t>(value, 1, 1000);
  if (!parsed)
    return parsed.error();
  options.measured.runs = *parsed;
  options.hasBenchOption = true;
  return {};
}
static Status setSeparator(Options &options, std::string_view value) {
  if (value.empty())
    return invalid(value, "what stands between documents");
  options.separator = value;
  return {};
}
static Status setSeed(Options &options, std::string_view value) {
  return store(options.seed, parseInteger<uint64_t>(value, 0, std::numeric_limits<uint64_t>::max()));
}
static Status setTopK(Options &options, std::string_view value) {
  const Expected<int64_t> parsed = parseInteger<int64_t>(value, 0, std::numeric_limits<int32_t>::max());
  if (!parsed)
    return parsed.error();
  options.sampler.topK = *parsed;
  return {};
}
static Status setTemperature(Options &options, std::string_view value) {
  const std::optional<double> parsed = parseFraction(value);
  if (!parsed || *parsed < 0 || *parsed > 1000)
    return invalid(value, "a number from 0 to 1000");
  options.sampler.temperature = *parsed;
  return {};
}
static Status setTopP(Options &options, std::string_view value) {
  const std::optional<double> parsed = parseFraction(value);
  if (!parsed || *parsed <= 0 || *parsed > 1)
    return invalid(value, "a number above 0 and up to 1");
  options.sampler.topP = *parsed;
  return {};
}

template <auto member> static Status setPath(Options &options, std::string_view value) {
  if (value.empty())
    return invalid(value, "the name of a file");
  options.*member = value;
  return {};
}
template <auto member> static Status setTrue(Options &options, std::string_view) {
  options.*member = true;
  return {};
}

namespace {
struct Row {
  std::string_view name;
  std::string_view other; // a second spelling, or empty
  std::string_view value; // how --help calls it; empty for a flag without
  std::string_view help, defaultText;
  Status (*set)(Options &, std::string_view);
};
} // namespace

static constexpr Row rows[] = {
    {"-n", "", "N", "new tokens", "until the context is full", setNewTokens},
    {"--temperature", "", "T", "divides the logits; 0 takes the likeliest token", "0.8", setTemperature},
    {"--top-p", "", "P", "draw from the likeliest tokens that have probability P together", "0.95", setTopP},
    {"--top-k", "", "K", "draw from the K likeliest tokens; 0 for all", "40", setTopK},
    {"--seed", "", "S", "the same seed gives the same text", "from the time, told at the end", setSeed},
    {"--threads", "", "N", "threads", "the processors there are", setThreads},
    {"--context", "", "N", "most tokens of prompt and continuation together", "the model's", setContext},
    {"--mlock", "", "", "read all weights into memory at the start, and keep them there", "", setTrue<&Options::lock>},
    {"--tokens", "", "", "prompt and continuation are token ids, and no first token is added", "",
     setTrue<&Options::tokens>},
    {"--prompts", "", "FILE",
     "continue each line of FILE, several at a time; the first with seed S, the next with S + 1 ...", "",
     setPath<&Options::prompts>},
    {"--logits", "", "IDS", "score the token ids in IDS, an .npy file, instead of generating", "",
     setPath<&Options::logits>},
    {"-o", "", "FILE", "where --logits writes them: .npy, float32 [tokens, vocabulary]", "", setPath<&Options::output>},
    {"--perplexity", "", "FILE", "score the text in FILE: how well it is predicted", "", setPath<&Options::perplexity>},
    {"--documents", "", "SEPARATOR", "FILE holds documents with SEPARATOR between them, scored or continued one by one",
     "one text, in windows; lines", setSeparator},
    {"--length", "", "N", "most scored tokens of a document or window", "256 of a document, the context of a window",
     setLength},
    {"--bench", "", "", "measure the speed of decode, of prefill and of the memory", "", setTrue<&Options::bench>},
    {"--decode", "", "N", "tokens that --bench decodes one by one", "128", setBenchTokens<&BenchOptions::decode>},
    {"--depth", "", "N", "tokens in the cache before these", "1", setBenchTokens<&BenchOptions::depth>},
    {"--prefill", "", "N", "tokens that --bench reads in chunks", "256", setBenchTokens<&BenchOptions::prefill>},
    {"--runs", "", "N", "runs of --bench after one to warm up", "5", setRuns},
    {"--profile", "", "", "measure how long each kernel takes, and what of the memory's speed it reaches", "",
     setTrue<&Options::profile>},
    {"--json", "", "", "figures of --perplexity, --bench and --profile as JSON", "", setTrue<&Options::json>},
    {"--info", "", "", "print what this was compiled from and how", "", setTrue<&Options::info>},
    {"--version", "", "", "print the version", "", setTrue<&Options::version>},
    {"--help", "-h", "", "print this", "", setTrue<&Options::help>},
};

static const Row *findRow(std::string_view name) {
  for (const Row &row : rows)
    if (row.name == name || (!row.other.empty() && row.other == name))
      return &row;
  return nullptr;
}

/// What is done instead of generating text, by its flag; each excludes the others and a prompt.
static Expected<std::string_view> chosenMode(const Options &options) {
  const struct {
    std::string_view flag;
    bool isChosen;
  } modes[] = {{"--logits", !options.logits.empty()},
               {"--perplexity", !options.perplexity.empty()},
               {"--bench", options.bench},
               {"--profile", options.profile},
               {"--prompts", !options.prompts.empty()}};
  std::string_view chosen;
  for (const auto &[flag, isChosen] : modes) {
    if (isChosen && !chosen.empty())
      return Error{std::string(chosen) + " and " + std::string(flag) + " exclude one another"};
    if (isChosen)
      chosen = flag;
  }
  return chosen;
}

static Status checkTogether(const Options &options) {
  const Expected<std::string_view> mode = chosenMode(options);
  if (!mode)
    return mode.error();
  if (!mode->empty() && options.prompt)
    return Error{std::string(*mode) + " takes no prompt, but there is one: '" + *options.prompt + "'"};
  if (options.logits.empty() != options.output.empty())
    return options.logits.empty() ? Error{"-o needs --logits"} : Error{"--logits needs -o, the file to write"};
  if (options.perplexity.empty() && options.length)
    return Error{"--length needs --perplexity"};
  if (options.perplexity.empty() && options.prompts.empty() && !options.separator.empty())
    return Error{"--documents needs --perplexity or --prompts"};
  if (options.hasBenchOption && !options.bench)
    return Error{"--decode, --depth, --prefill and --runs need --bench"};
  if (options.json && options.perplexity.empty() && !options.bench && !options.profile)
    return Error{"--json needs --perplexity, --bench or --profile"};
  return {};
}

static Status setPrompt(Options &options, std::string_view word) {
  if (options.prompt)
    return Error{"two prompts, '" + *options.prompt + "' and '" + std::string(word) +
                 "'; put quotes around one of several words"};
  options.prompt = word;
  return {};
}

/// Takes the flag at `place` and its value, which may be the next word.
static Status takeFlag(Options &options, std::span<const char *const> words, size_t &place) {
  const std::string_view word = words[place];
  const size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  const Row *row = findRow(name);
  if (!row)
    return Error{"unknown option '" + std::string(name) +
                 "'; --help lists all, and a prompt that begins with '-' goes after --"};
  const bool attached = equals != std::string_view::npos;
  if (row->value.empty()) {
    if (attached)
      return Error{std::string(name) + " takes no value, but there is one: '" + std::string(word.substr(equals + 1)) +
                   "'"};
    return row->set(options, {});
  }
  if (!attached && place + 1 == words.size())
    return Error{std::string(name) + " needs a value: " + std::string(row->value)};
  const std::string_view value = attached ? word.substr(equals + 1) : words[++place];
  if (Status status = row->set(options, value); !status)
    return Error{std::string(name) + ": " + status.error().message};
  return {};
}

Expected<Options> parseOptions(std::span<const char *const> words) {
  Options options;
  bool flagsEnded = false;
  for (size_t place = 0; place < words.size(); ++place) {
    const std::string_view word = words[place];
    Status status;
    if (!flagsEnded && word == "--")
      flagsEnded = true;
    else if (!flagsEnded && word.size() > 1 && word.starts_with('-'))
      status = takeFlag(options, words, place);
    else
      status = setPrompt(options, word);
    if (!status)
      return status.error();
  }
  if (options.help || options.version || options.info)
    return options;
  if (Status status = checkTogether(options); !status)
    return status.error();
  return options;
}

std::string helpText(std::string_view program) {
  const std::string name(program);
  std::string text =
      "usage: " + name + " [PROMPT] [OPTION]...\n" + "       " + name +
      " --prompts FILE [--documents SEPARATOR] [OPTION]...\n" + "       " + name + " --logits IDS -o FILE\n" +
      "       " + name + " --perplexity FILE [--documents SEPARATOR] [--length N] [--json]\n" + "       " + name +
      " --bench [--decode N] [--depth N] [--prefill N] [--runs N] [--json]\n" + "       " + name +
      " --profile [--json]\n\n" +
      "Continues PROMPT, or the text on standard input when there is none, token by token. The text, or the\n"
      "figures asked for, go to standard output, everything else to standard error.\n\n";
  for (const Row &row : rows) {
    std::string left = "  " + std::string(row.name);
    if (!row.other.empty())
      left += ", " + std::string(row.other);
    if (!row.value.empty())
      left += " " + std::string(row.value);
    left.resize(std::max<size_t>(left.size() + 2, 26), ' ');
    text += left + std::string(row.help);
    if (!row.defaultText.empty())
      text += " (default: " + std::string(row.defaultText) + ")";
    text += "\n";
  }
  return text;
}

} // namespace halftone::runtime
