// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// halftone bench: how fast a model is in several formats, beside other programs, all in turn.
#include "tools/halftone/Commands.h"
#include "tools/halftone/Contestant.h"
#include "tools/halftone/Display.h"
#include "tools/halftone/Report.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"

#include <algorithm>

namespace halftone::tool {

namespace {

struct BenchOptions {
  PipelineOptions pipeline;
  std::vector<std::string> formats = {"int4-g32"};
  std::vector<int64_t> threads = {1, 2};
  /// Name and command.
  std::vector<std::pair<std::string, std::string>> against;
  Course course;
  int64_t runs = 5;
  bool json = false, help = false;
};

/// Something that is measured, and what was.
struct Entrant {
  std::string name;
  std::unique_ptr<Contestant> program;
  std::vector<Lap> laps = {};
};

} // namespace

//===-- Options ---------------------------------------------------------------------------------------------------===//

static std::vector<std::string> itemsOf(std::string_view list) {
  std::vector<std::string> items;
  for (const llvm::StringRef item : llvm::split(llvm::StringRef(list), ','))
    items.push_back(item.trim().str());
  return items;
}

static Status takeThreads(std::string_view list, std::vector<int64_t> &place) {
  place.clear();
  for (const std::string &item : itemsOf(list)) {
    int64_t count = 0;
    if (llvm::StringRef(item).getAsInteger(10, count) || count < 1)
      return Error{"'" + item + "' is no number of threads"};
    place.push_back(count);
  }
  return {};
}

static Status takePeers(std::string_view list, std::vector<std::pair<std::string, std::string>> &place) {
  for (const std::string &item : itemsOf(list)) {
    const auto [name, command] = llvm::StringRef(item).split('=');
    if (name.empty() || command.empty())
      return Error{"'" + item + "' is not NAME=COMMAND"};
    place.emplace_back(name, command);
  }
  return {};
}

static CommandLine commandLine(BenchOptions &options) {
  PipelineOptions &pipeline = options.pipeline;
  return {
      "halftone bench MODEL.onnx [options]",
      "Compiles a decoder in several formats and measures all of them in turn: tokens a second of decode and prefill, "
      "time to the first token, memory, each beside what the machine gives in the same minute. Medians of several "
      "runs; a ratio says how many times as fast as a program the first one is, in runs next to each other. An "
      "executable that halftone compiled is taken instead of a "
      "model.",
      {{"What runs",
        {{"--format", "NAME,...", "formats to compile in, int4-g32 by default",
          [&options](std::string_view list) {
            options.formats = itemsOf(list);
            return Status();
          }},
         {"--against", "NAME=COMMAND,...",
          "other programs, with the options and the JSON of llama-bench: "
          "\"ik=build/bin/llama-bench -m model.gguf -fa 1\"; may be given several times",
          [&options](std::string_view list) { return takePeers(list, options.against); }},
         {"--kv-format", "NAME", "as in halftone compile", store(pipeline.cacheFormat)},
         {"--target", "NAME", "as in halftone compile", store(pipeline.target)},
         {"--context", "N", "as in halftone compile", store(pipeline.context, 1)},
         {"--external-data-root", "FOLDER", "where external data may lie besides the model's own folder",
          store(pipeline.externalDataRoot)}}},
       {"What is measured",
        {{"--threads", "N,...", "numbers of threads, 1,2 by default",
          [&options](std::string_view list) { return takeThreads(list, options.threads); }},
         {"--decode", "N", "tokens decoded one by one, 128 by default", store(options.course.decode, 1)},
         {"--depth", "N", "tokens in the cache before them, 1 by default", store(options.course.depth, 1)},
         {"--prefill", "N", "tokens read in chunks, 256 by default", store(options.course.prefill, 1)},
         {"--runs", "N", "runs of each, 5 by default", store(options.runs, 1)}}},
       {"Output",
        {{"--json", "", "print the figures of all runs as JSON on standard output", store(options.json)},
         {"--help", "", "print this", store(options.help)}}}},
      takeModel(pipeline.input)};
}

CommandLine benchLine() {
  static BenchOptions unread;
  return commandLine(unread);
}

static Status checkComplete(const BenchOptions &options) {
  return options.pipeline.input.empty() ? Error{"no model given; usage: halftone bench MODEL.onnx [options]"}
                                        : Status();
}

//===-- Running ---------------------------------------------------------------------------------------------------===//

/// The model in each format; or the executable that was given.
static Status addOurs(const BenchOptions &options, const io::WorkFolder &work, Display &display,
                      std::vector<Entrant> &entrants) {
  const auto add = [&](const std::string &name, const std::string &path) -> Status {
    Expected<Executable> executable = Executable::open(path, work);
    if (!executable)
      return executable.error();
    entrants.push_back({name, contestant(std::move(*executable))});
    return {};
  };
  PipelineOptions pipeline = options.pipeline;
  if (llvm::sys::path::extension(pipeline.input) != ".onnx" && llvm::sys::fs::can_execute(pipeline.input))
    return add(llvm::sys::path::filename(pipeline.input).str(), pipeline.input);
  for (const std::string &format : options.formats) {
    pipeline.format = format;
    pipeline.output = work / format.c_str();
    pipeline.runtimeFolder = findRuntime();
    if (const auto compiled = compile(pipeline, display); !compiled)
      return compiled.error();
    if (Status added = add(format, pipeline.output); !added)
      return added;
  }
  return {};
}

static Status measure(const BenchOptions &options, int64_t threads, std::vector<Entrant> &entrants, Display &display) {
  uint64_t done = 0;
  const uint64_t total = entrants.size() * static_cast<uint64_t>(options.runs);
  for (Entrant &entrant : entrants)
    entrant.laps.clear();
  for (int64_t run = 0; run < options.runs; ++run)
    for (Entrant &entrant : entrants) {
      Expected<Lap> lap = entrant.program->run(options.course, threads);
      if (!lap)
        return Error{entrant.name + ": " + lap.error().message};
      entrant.laps.push_back(std::move(*lap));
      display.advance(std::to_string(threads) + " threads, run " + std::to_string(run + 1) + ", " + entrant.name,
                      ++done, total);
    }
  return {};
}

//===-- The report ------------------------------------------------------------------------------------------------===//

static double median(std::vector<double> values) {
  std::ranges::sort(values);
  const size_t count = values.size();
  return count == 0 ? 0 : (values[(count - 1) / 2] + values[count / 2]) / 2;
}

template <class Get> static std::vector<double> allOf(const std::vector<Lap> &laps, Get get) {
  std::vector<double> values;
  for (const Lap &lap : laps)
    if (const std::optional<double> value = get(lap))
      values.push_back(*value);
  return values;
}

static std::string text(const char *format, double value) {
  std::string result;
  llvm::raw_string_ostream(result) << llvm::format(format, value);
  return result;
}

/// The share of the peak of one of its instructions, the fastest, that prefill reaches.
static std::optional<double> peakShare(const Lap &lap) {
  double peak = 0;
  for (const auto &[instruction, operations] : lap.peaks)
    peak = std::max(peak, operations);
  return peak > 0 ? std::optional(lap.prefill * lap.operationsPerToken.value_or(0) / peak) : std::nullopt;
}

static std::optional<double> memoryShare(const Lap &lap) {
  return lap.memory && lap.bytesPerToken ? std::optional(lap.decode * *lap.bytesPerToken / *lap.memory) : std::nullopt;
}

/// Rows for one number of threads. \param isText numbers as people read them.
static void addRows(Table &table, int64_t threads, const std::vector<Entrant> &entrants, bool isText) {
  const auto number = [&](const char *format, const std::vector<double> &values) -> llvm::json::Value {
    if (values.empty())
      return nullptr;
    return isText ? llvm::json::Value(text(format, median(values))) : llvm::json::Value(median(values));
  };
  const auto range = [&](const std::vector<double> &values) -> llvm::json::Value {
    const auto [least, most] = std::ranges::minmax(values);
    if (!isText)
      return llvm::json::Array{least, most};
    return text("%.1f", least) + "-" + text("%.1f", most);
  };
  const std::vector<Lap> &first = entrants.front().laps;
  for (const Entrant &entrant : entrants) {
    const std::vector<Lap> &laps = entrant.laps;
    const auto decode = allOf(laps, [](const Lap &lap) { return std::optional(lap.decode); });
    const auto prefill = allOf(laps, [](const Lap &lap) { return std::optional(lap.prefill); });
    std::vector<double> decodeRatio, prefillRatio;
    for (size_t i = 0; i < laps.size(); ++i) {
      decodeRatio.push_back(first[i].decode / laps[i].decode);
      prefillRatio.push_back(first[i].prefill / laps[i].prefill);
    }
    table.rows.push_back(
        {entrant.name, threads, number("%.1f", decode), range(decode), number("%.2f", decodeRatio),
         number("%.2f", allOf(laps, memoryShare)), number("%.1f", prefill), range(prefill),
         number("%.2f", prefillRatio), number("%.2f", allOf(laps, peakShare)),
         number("%.3f", allOf(laps, [](const Lap &lap) { return lap.firstToken; })),
         number("%.0f", allOf(laps, [](const Lap &lap) { return std::optional(double(lap.peakBytes) / 1e6); }))});
  }
}

static Expected<Report> measureAll(const BenchOptions &options, Display &display) {
  const Expected<io::WorkFolder> work = temporaryFolder("halftone-bench");
  if (!work)
    return work.error();
  std::vector<Entrant> entrants;
  std::vector<Entrant> peers;
  for (const auto &[name, command] : options.against) { // an error of these comes before the work
    Expected<std::unique_ptr<Contestant>> program = peer(command);
    if (!program)
      return Error{"--against: " + name + ": " + program.error().message};
    peers.push_back({name, std::move(*program)});
  }
  if (Status added = addOurs(options, *work, display, entrants); !added)
    return added.error();
  std::ranges::move(peers, std::back_inserter(entrants));
  Table table = {{"name", "threads", "decode", "decode_range", "decode_ratio", "of_memory", "prefill", "prefill_range",
                  "prefill_ratio", "of_peak", "first_token_s", "peak_mb"},
                 {}};
  for (const int64_t threads : options.threads) {
    if (Status measured = measure(options, threads, entrants, display); !measured)
      return measured.error();
    addRows(table, threads, entrants, !options.json);
  }
  return Report{{"processor", llvm::sys::getHostCPUName().str()}, {"version", "halftone " HALFTONE_VERSION},
                {"decode_tokens", options.course.decode},         {"depth", options.course.depth},
                {"prefill_tokens", options.course.prefill},       {"runs", options.runs},
                {"tokens_per_second", std::move(table)}};
}

static Status bench(BenchOptions &options) {
  Display display;
  const Expected<Report> report = measureAll(options, display);
  display.clear();
  if (!report)
    return report.error();
  return print(options.json ? toJson(*report) : toText(*report));
}

Expected<int> benchCommand(std::span<const std::string_view> arguments) {
  return execute(commandLine, arguments, checkComplete, bench);
}

} // namespace halftone::tool
