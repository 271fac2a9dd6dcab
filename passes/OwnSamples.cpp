// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Begins of sequences, the model as a program that continues them, and its lines as they come.
#include "passes/OwnSamples.h"

#include "lib/io/AtomicFile.h"
#include "lib/io/RunProgram.h"
#include "lib/quantize/Candidates.h"
#include "lib/runtime/Sampler.h"
#include "lib/runtime/Threads.h"
#include "passes/Compilation.h"

#include "llvm/ADT/StringExtras.h"

#include <unistd.h>

namespace halftone {
namespace {

/// The files of the work folder.
constexpr char writerFile[] = "writer", beginsFile[] = "begins";

/// Shows the compiling of the writer as a part of calibrating.
class WriterProgress : public Progress {
public:
  explicit WriterProgress(Progress &outer) : outer(outer) {}
  void begin(Stage stage) override {
    outer.advance(Stage::Calibrate, static_cast<uint64_t>(stage), stageNames.size(),
                  "compiling the model, which writes its own text: " + name(stage).str());
  }
  void warn(const std::string &message) override { outer.warn(message); }

private:
  Progress &outer;
};

} // namespace

/// The model as it stands, for this machine.
static Status compileWriter(const Compilation &model) {
  const PipelineOptions &options = model.options;
  PipelineOptions writer;
  writer.input = options.input;
  writer.output = model.work / writerFile;
  writer.externalDataRoot = options.externalDataRoot;
  writer.tokenizer = options.tokenizer; // knows which token ends a text
  writer.format = quantize::writerFormat();
  writer.context = options.context;
  writer.runtimeFolder = options.runtimeFolder;
  writer.threads = options.threads;
  WriterProgress progress(model.progress);
  const Expected<std::vector<StageReport>> reports = compile(writer, progress);
  return reports ? Status() : reports.error();
}

/// What sequences begin with, a line of token ids for each: the token that begins a text, where there is one, then one
/// drawn among all that the tokenizer names.
static std::vector<std::string> drawBegins(const Compilation &model, int64_t count, int64_t vocabulary,
                                           runtime::RandomGenerator &random) {
  std::string start;
  if (const auto &tokenizer = model.inputs.tokenizer) {
    vocabulary = std::min(vocabulary, tokenizer->tokenizer->vocabularySize());
    if (const std::optional<int64_t> begin = tokenizer->tokenizer->beginToken())
      start = std::to_string(*begin) + " ";
  }
  std::vector<std::string> begins;
  while (begins.size() < static_cast<size_t>(count)) {
    const double drawn = random.uniform() * static_cast<double>(vocabulary);
    begins.push_back(start + std::to_string(static_cast<int64_t>(drawn)));
  }
  return begins;
}

/// The token ids of a line; nothing when it holds anything else.
static std::vector<int64_t> parseLine(llvm::StringRef line) {
  std::vector<int64_t> tokens;
  while (!line.empty()) {
    int64_t token = 0;
    if (line.consumeInteger(10, token) || (!line.empty() && !line.consume_front(" ")))
      return {};
    tokens.push_back(token);
  }
  return tokens;
}

/// What the journal calls a sequence.
static std::string recordName(size_t index) { return "own text " + std::to_string(index); }

/// Takes the sequences that were written before the program was killed.
static Status readWritten(const Compilation &model, int64_t count, std::vector<std::vector<int64_t>> &sequences) {
  const auto isKept = [&](size_t index) { return model.journal && model.journal->contains(recordName(index)); };
  while (sequences.size() < static_cast<size_t>(count) && isKept(sequences.size())) {
    const Expected<std::vector<std::byte>> line = model.journal->read(recordName(sequences.size()));
    if (!line)
      return line.error();
    sequences.push_back(parseLine({reinterpret_cast<const char *>(line->data()), line->size()}));
  }
  return {};
}

/// Takes a sequence from the writer.
static Status take(const Compilation &model, std::string_view line, std::vector<std::vector<int64_t>> &sequences) {
  std::vector<int64_t> tokens = parseLine(line);
  if (tokens.empty())
    return Error{"sequence " + std::to_string(sequences.size()) + " is no list of token ids: '" + std::string(line) +
                 "'"};
  if (model.journal) {
    const auto bytes = std::as_bytes(std::span(line));
    if (Status kept = model.journal->append(recordName(sequences.size()), bytes); !kept)
      return kept;
  }
  sequences.push_back(std::move(tokens));
  return {};
}

/// The command line that samples from the model's distribution as it is.
static std::vector<std::string> writerArguments(const Compilation &model, int64_t length, uint64_t seed) {
  std::vector<std::string> words = {
      "--tokens", "--prompts",         model.work / beginsFile, "--context", std::to_string(length),
      "--seed",   std::to_string(seed)};
  words.insert(words.end(), {"--temperature", "1", "--top-k", "0", "--top-p", "1"});
  if (model.options.threads != 0)
    words.insert(words.end(),
                 {"--threads", std::to_string(std::min<int64_t>(model.options.threads, runtime::Team::mostThreads))});
  return words;
}

/// Lets the model continue `begins`, the first of them with the seed `seed`.
static Status runWriter(const Compilation &model, std::span<const std::string> begins, int64_t length, uint64_t seed,
                        std::vector<std::vector<int64_t>> &sequences) {
  const std::string text = llvm::join(begins, "\n");
  if (Status written = io::writeFile(model.work / beginsFile, std::as_bytes(std::span(text))); !written)
    return written;
  const size_t before = sequences.size(), all = before + begins.size();
  return io::runProgram(model.work / writerFile, writerArguments(model, length, seed), [&](std::string_view line) {
    Status taken = take(model, line, sequences);
    model.progress.advance(Stage::Calibrate, sequences.size() - before, begins.size(),
                           "sequence " + std::to_string(sequences.size()) + "/" + std::to_string(all) +
                               " of the model's own text");
    return taken;
  });
}

Expected<calibrate::Samples> writeOwnSamples(Compilation &model, const calibrate::SampleOptions &wanted,
                                             int64_t vocabulary) {
  calibrate::Samples samples;
  samples.available = wanted.samples;
  if (Status read = readWritten(model, wanted.samples, samples.sequences); !read)
    return read.error();
  const size_t done = samples.sequences.size();
  if (done == static_cast<size_t>(wanted.samples))
    return samples;
  runtime::RandomGenerator random(wanted.seed);
  const std::vector<std::string> begins = drawBegins(model, wanted.samples, vocabulary, random);
  const uint64_t seed = random.next() >> 1; // that of the last sequence does not overflow
  if (Status compiled = compileWriter(model); !compiled)
    return compiled.error();
  const Status ran = runWriter(model, std::span(begins).subspan(done), wanted.length, seed + done, samples.sequences);
  unlink((model.work / writerFile).c_str());
  if (!ran)
    return Error{"--calibrate=self: " + ran.error().message};
  if (samples.sequences.size() != begins.size())
    return Error{"--calibrate=self: the model wrote " + std::to_string(samples.sequences.size()) + " sequences of " +
                 std::to_string(begins.size())};
  return samples;
}

} // namespace halftone
