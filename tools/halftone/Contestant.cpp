// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What programs are asked, and where in their JSON the answers stand.
#include "tools/halftone/Contestant.h"

#include "lib/io/RunProgram.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Program.h"

namespace halftone::tool {

/// What a program says on standard output, as JSON.
static Expected<llvm::json::Value> ask(const std::string &path, const std::vector<std::string> &arguments,
                                       io::ProgramCost &cost) {
  std::string text;
  const auto take = [&](std::string_view line) -> Status {
    text.append(line) += '\n';
    return {};
  };
  if (Status done = io::runProgram(path, arguments, take, &cost); !done)
    return done.error();
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(text);
  if (value)
    return std::move(*value);
  return Error{path + ": gives no JSON: " + llvm::toString(value.takeError())};
}

//===-- Executables -----------------------------------------------------------------------------------------------===//

namespace {

class CompiledModel : public Contestant {
public:
  explicit CompiledModel(Executable executable) : executable(std::move(executable)) {}

  Expected<Lap> run(const Course &course, int64_t threads) override {
    io::ProgramCost cost;
    const Expected<llvm::json::Value> said =
        ask(executable.path(),
            {"--bench", "--json", "--runs", "1", "--threads", std::to_string(threads), "--decode",
             std::to_string(course.decode), "--depth", std::to_string(course.depth), "--prefill",
             std::to_string(course.prefill)},
            cost);
    if (!said)
      return said.error();
    const llvm::json::Object *facts = said->getAsObject();
    if (!facts || !facts->getNumber("decode_tokens_per_second"))
      return Error{executable.path() + ": --bench gives no figures"};
    const auto number = [&](const char *name) -> std::optional<double> { return facts->getNumber(name); };
    Lap lap;
    lap.decode = number("decode_tokens_per_second").value_or(0);
    lap.prefill = number("prefill_tokens_per_second").value_or(0);
    lap.peakBytes = cost.peakBytes;
    lap.memory = number("bandwidth_bytes_per_second");
    lap.bytesPerToken = number("bytes_per_token");
    lap.operationsPerToken = number("prefill_operations");
    if (const llvm::json::Object *peaks = facts->getObject("peak_operations_per_second"))
      for (const auto &[instruction, peak] : *peaks)
        lap.peaks[instruction.str()] = peak.getAsNumber().value_or(0);
    if (Status started = measureStart(threads, lap); !started)
      return started.error();
    return lap;
  }

private:
  Status measureStart(int64_t threads, Lap &lap) const {
    io::ProgramCost cost;
    const int64_t token[] = {1};
    if (const auto logits = executable.logits(token, threads, &cost); !logits)
      return logits.error();
    lap.firstToken = cost.seconds;
    return {};
  }

  Executable executable;
};

//===-- Peers -----------------------------------------------------------------------------------------------------===//

class Peer : public Contestant {
public:
  Peer(std::string path, std::vector<std::string> options) : path(std::move(path)), options(std::move(options)) {}

  Expected<Lap> run(const Course &course, int64_t threads) override {
    std::vector<std::string> arguments = options;
    arguments.insert(arguments.end(), {"-t", std::to_string(threads), "-r", "1", "-o", "json"});
    Lap lap;
    if (Status prefill = test(arguments, course.prefill, 0, 0, lap); !prefill)
      return prefill.error();
    if (Status decode = test(arguments, 0, course.decode, course.depth, lap); !decode)
      return decode.error();
    return lap;
  }

private:
  Status test(std::vector<std::string> arguments, int64_t prefill, int64_t decode, int64_t depth, Lap &lap) const {
    arguments.insert(arguments.end(), {"-p", std::to_string(prefill), "-n", std::to_string(decode)});
    if (depth > 1) // some know no such option
      arguments.insert(arguments.end(), {"-d", std::to_string(depth)});
    io::ProgramCost cost;
    const Expected<llvm::json::Value> said = ask(path, arguments, cost);
    if (!said)
      return said.error();
    const llvm::json::Array *tests = said->getAsArray();
    const llvm::json::Object *first = tests && !tests->empty() ? tests->front().getAsObject() : nullptr;
    const std::optional<double> speed = first ? first->getNumber("avg_ts") : std::nullopt;
    if (!speed)
      return Error{path + ": its JSON has no 'avg_ts', tokens a second"};
    (decode > 0 ? lap.decode : lap.prefill) = *speed;
    lap.peakBytes = std::max(lap.peakBytes, cost.peakBytes);
    return {};
  }

  std::string path;
  std::vector<std::string> options;
};

} // namespace

std::unique_ptr<Contestant> contestant(Executable executable) {
  return std::make_unique<CompiledModel>(std::move(executable));
}

Expected<std::unique_ptr<Contestant>> peer(std::string_view command) {
  std::vector<std::string> words;
  for (const llvm::StringRef word : llvm::split(llvm::StringRef(command), ' '))
    if (!word.empty())
      words.push_back(word.str());
  if (words.empty())
    return Error{"there is no command"};
  const llvm::ErrorOr<std::string> path = llvm::sys::findProgramByName(words.front());
  if (!path || !llvm::sys::fs::can_execute(*path))
    return Error{words.front() + ": there is no such program"};
  words.erase(words.begin());
  return std::unique_ptr<Contestant>(std::make_unique<Peer>(*path, std::move(words)));
}

} // namespace halftone::tool
