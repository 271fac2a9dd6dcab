// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The program an emitted binary runs: options, weights, tokenizer, then one of info, logits, figures or text.
#include "halftone/model.h"
#include "lib/runtime/Batch.h"
#include "lib/runtime/Bench.h"
#include "lib/runtime/Clock.h"
#include "lib/runtime/Facts.h"
#include "lib/runtime/Generate.h"
#include "lib/runtime/Info.h"
#include "lib/runtime/Interrupt.h"
#include "lib/runtime/Logits.h"
#include "lib/runtime/Options.h"
#include "lib/runtime/Perplexity.h"
#include "lib/runtime/ProfileRun.h"
#include "lib/runtime/Prompt.h"
#include "lib/runtime/Variant.h"
#include "lib/runtime/Weights.h"

#include <algorithm>
#include <cstdlib>
#include <sys/resource.h>
#include <unistd.h>

using namespace halftone;
using namespace halftone::runtime;

/// Exit codes: done, an error that was told, ended by Ctrl-C (128 + SIGINT, as shells have it).
enum ExitCode { done = 0, failed = 1, endedByInterrupt = 130 };

namespace {

/// The binary's own content, checked.
struct Program {
  std::span<const std::byte> segment;
  std::string_view info;
  /// Chosen before anything is computed.
  const Variant *variant = nullptr;
};

} // namespace

static constinit Output standardOutput(STDOUT_FILENO, "stdout");
static constinit Output standardError(STDERR_FILENO, "stderr");

static std::string_view baseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// Nothing can be told when stderr itself fails.
static void tell(const std::string &line) { (void)standardError.write(line + "\n"); }

static Expected<Program> loadProgram() {
  if (Status status = checkFacts(halftone_facts); !status)
    return status.error();
  Expected<std::span<const std::byte>> segment = findWeights(halftone_facts.segment_bytes);
  if (!segment)
    return segment.error();
  return Program{*segment, infoText(*segment, halftone_facts)};
}

static Expected<int64_t> chooseContext(const Options &options) {
  const int64_t context = options.context.value_or(halftone_facts.context);
  if (context > halftone_facts.context)
    return Error{"--context: " + std::to_string(context) + " is more than the model's " +
                 std::to_string(halftone_facts.context)};
  return context;
}

/// The prompt on the command line, or standard input unless that is a terminal; there, the newline at the end is not
/// part of it.
static Expected<std::string> readPrompt(const Options &options) {
  if (options.prompt)
    return *options.prompt;
  if (isatty(STDIN_FILENO) == 1)
    return std::string();
  Expected<std::string> text = readAll(STDIN_FILENO, "stdin");
  if (text && text->ends_with('\n'))
    text->pop_back();
  return text;
}

static GenerateOptions generateOptions(const Options &options, const tokenizer::Tokenizer *tokenizer) {
  GenerateOptions result;
  result.newTokens = options.newTokens;
  result.interrupted = interrupted;
  result.drawable = halftone_facts.vocabulary;
  if (!tokenizer)
    return result;
  for (const std::optional<int64_t> stop : {tokenizer->endToken(), tokenizer->beginToken()})
    if (stop)
      result.stopTokens.push_back(*stop);
  // Models pad their vocabulary; nothing can be shown for such a token.
  if (!options.tokens)
    result.drawable = std::min(result.drawable, tokenizer->vocabularySize());
  return result;
}

/// The newline that a terminal needs before what comes next; a file or pipe gets the text and nothing else.
static std::string endOfText() {
  if (standardOutput.isTerminal()) {
    (void)standardOutput.write("\n");
    return "";
  }
  return sameDestination(STDOUT_FILENO, STDERR_FILENO) ? "\n" : "";
}

static Expected<ExitCode> generateFrom(const Prompt &prompt, const Options &options,
                                       const tokenizer::Tokenizer *tokenizer, Session &session, std::string_view info) {
  if (Status status = checkPrompt(prompt.tokens, session.context()); !status)
    return status.error();
  if (Status status = standardOutput.write(prompt.shown); !status)
    return status.error();
  SamplerOptions sampling = options.sampler;
  sampling.seed = options.seed.value_or(seedFromTime());
  Sampler sampler(sampling);
  NumberSink numbers(standardOutput);
  std::optional<TextSink> text;
  if (!options.tokens)
    text.emplace(standardOutput, *tokenizer, prompt.shown.empty());
  TokenSink &sink = text ? static_cast<TokenSink &>(*text) : numbers;
  const Expected<Generation> result =
      generate(session, prompt.tokens, generateOptions(options, tokenizer), sampler, sink);
  if (!result)
    return result.error();
  if (standardOutput.closed())
    return done;
  tell(endOfText() +
       factsLine(halftone_facts, info, {result->drawn, result->seconds, session.threads(), sampling.seed}));
  return result->interrupted ? endedByInterrupt : done;
}

static Expected<ExitCode> scoreIds(const Options &options, Session &session, std::string_view info) {
  const Expected<Scoring> result = scoreFile(session, options.logits, options.output, interrupted);
  if (!result)
    return result.error();
  if (result->interrupted)
    return endedByInterrupt;
  tell(factsLine(halftone_facts, info, {result->tokens, result->seconds, session.threads(), std::nullopt}));
  return done;
}

/// The tokenizer in the segment; null when the model has none.
static Expected<std::unique_ptr<tokenizer::Tokenizer>> loadTokenizer(const Program &program) {
  const std::string_view bytes = tokenizerBytes(program.segment, halftone_facts);
  if (bytes.empty())
    return std::unique_ptr<tokenizer::Tokenizer>();
  auto read = tokenizer::readTokenizer(bytes);
  if (!read)
    return Error{"the tokenizer in this binary: " + read.error().message};
  return read;
}

static int64_t chooseThreads(const Options &options) {
  return options.threads.value_or(std::min(availableProcessors(), Team::mostThreads));
}

static Expected<Session> startSession(const Options &options, const Program &program) {
  const Expected<int64_t> context = chooseContext(options);
  if (!context)
    return context.error();
  if (options.lock)
    if (Status locked = lockWeights(program.segment); !locked)
      return Error{"--mlock: " + locked.error().message};
  return Session::create(halftone_facts, *program.variant, program.segment.data(), *context, chooseThreads(options));
}

/// The tokenizer of prompts and texts; null only where these are token ids.
static Expected<std::unique_ptr<tokenizer::Tokenizer>> promptTokenizer(const Options &options, const Program &program) {
  auto tokenizer = loadTokenizer(program);
  if (tokenizer && !*tokenizer && !options.tokens)
    return Error{"this binary has no tokenizer; give token ids, with --tokens"};
  return tokenizer;
}

static Expected<ExitCode> continuePrompt(const Options &options, const Program &program) {
  const auto tokenizer = promptTokenizer(options, program);
  if (!tokenizer)
    return tokenizer.error();
  Expected<std::string> text = readPrompt(options);
  if (!text)
    return text.error();
  const Expected<Prompt> prompt =
      encodePrompt(std::move(*text), options.tokens ? nullptr : tokenizer->get(), halftone_facts.vocabulary);
  if (!prompt)
    return prompt.error();
  Expected<Session> session = startSession(options, program);
  if (!session)
    return session.error();
  catchInterrupts();
  return generateFrom(*prompt, options, tokenizer->get(), *session, program.info);
}

namespace {

/// Writes each text, what separates it from the next behind it.
class TextWriter : public BatchSink {
public:
  TextWriter(const tokenizer::Tokenizer *tokenizer, std::string separator)
      : tokenizer(tokenizer), separator(std::move(separator)) {}

  Status put(const Prompt &prompt, std::span<const int64_t> continuation) override {
    Status written = standardOutput.write(prompt.shown);
    NumberSink numbers(standardOutput);
    std::optional<TextSink> text;
    if (tokenizer)
      text.emplace(standardOutput, *tokenizer, prompt.shown.empty());
    TokenSink &sink = text ? static_cast<TokenSink &>(*text) : numbers;
    for (size_t place = 0; place < continuation.size() && written; ++place)
      written = sink.put(continuation[place]);
    if (written)
      written = sink.finish();
    return written ? standardOutput.write(separator) : written;
  }
  bool closed() const override { return standardOutput.closed(); }

private:
  const tokenizer::Tokenizer *tokenizer;
  std::string separator;
};

} // namespace

static Expected<ExitCode> continueAll(const Options &options, const Program &program) {
  const auto tokenizer = promptTokenizer(options, program);
  if (!tokenizer)
    return tokenizer.error();
  const Expected<int64_t> context = chooseContext(options);
  if (!context)
    return context.error();
  const tokenizer::Tokenizer *ofTexts = options.tokens ? nullptr : tokenizer->get();
  const Expected<std::vector<Prompt>> prompts =
      readPrompts(options.prompts, options.separator, ofTexts, halftone_facts.vocabulary, *context);
  if (!prompts)
    return prompts.error();
  BatchOptions batch = {generateOptions(options, tokenizer->get()), options.sampler, *context, chooseThreads(options)};
  batch.sampler.seed = options.seed.value_or(seedFromTime());
  catchInterrupts();
  TextWriter writer(ofTexts, options.separator.empty() ? "\n" : options.separator);
  const Expected<Generation> result =
      generateAll(halftone_facts, *program.variant, program.segment.data(), *prompts, batch, writer);
  if (!result)
    return Error{options.prompts + ": " + result.error().message};
  if (standardOutput.closed())
    return done;
  tell(factsLine(halftone_facts, program.info, {result->drawn, result->seconds, batch.threads, batch.sampler.seed}));
  return result->interrupted ? endedByInterrupt : done;
}

static Expected<ExitCode> print(const std::string &text) {
  if (Status status = standardOutput.write(text.ends_with('\n') ? text : text + "\n"); !status)
    return status.error();
  return done;
}

static Expected<ExitCode> scoreFileOf(const Options &options, const Program &program) {
  Expected<Session> session = startSession(options, program);
  if (!session)
    return session.error();
  catchInterrupts();
  return scoreIds(options, *session, program.info);
}

static Expected<ExitCode> print(const std::vector<Figure> &figures, const Options &options) {
  return print(options.json ? printJson(figures) : printTable(figures));
}

static std::string formatOf(const Program &program) {
  return findInJson(program.info, "format").value_or("unknown format");
}

static Expected<ExitCode> measurePerplexity(const Options &options, const Program &program) {
  const auto tokenizer = loadTokenizer(program);
  if (!tokenizer)
    return tokenizer.error();
  if (!*tokenizer)
    return Error{"this binary has no tokenizer; --perplexity reads text"};
  Expected<Session> session = startSession(options, program);
  if (!session)
    return session.error();
  catchInterrupts();
  io::ProgressLine progress(STDERR_FILENO);
  const evaluate::Cut cut{options.separator, options.length.value_or(0)};
  const Expected<TextScore> score = scoreText(*session, **tokenizer, options.perplexity, cut, progress, interrupted);
  progress.clear();
  if (!score)
    return score.error();
  return score->interrupted ? endedByInterrupt : print(figures(*score, formatOf(program), session->threads()), options);
}

static Expected<ExitCode> measureSpeed(const Options &options, const Program &program) {
  Expected<Session> session = startSession(options, program);
  if (!session)
    return session.error();
  catchInterrupts();
  io::ProgressLine progress(STDERR_FILENO);
  const Expected<Benchmark> benchmark =
      bench(*session, options.measured, program.variant->probes, halftone_facts.decode_bytes, progress, interrupted);
  progress.clear();
  if (!benchmark)
    return benchmark.error();
  if (benchmark->interrupted)
    return endedByInterrupt;
  return print(figures(*benchmark, formatOf(program), halftone_facts, session->threads()), options);
}

static Expected<ExitCode> profileKernels(const Options &options, const Program &program) {
  const Expected<std::vector<Kernel>> kernels = kernelsIn(program.info);
  if (!kernels)
    return Error{"the info in this binary: " + kernels.error().message};
  Expected<Session> session = startSession(options, program);
  if (!session)
    return session.error();
  Expected<ModelProfile> found =
      profile(*session, program.variant->probes, kernels->size(), halftone_facts.decode_bytes);
  if (!found)
    return found.error();
  found->variant = static_cast<size_t>(program.variant - halftone_variants);
  return print(options.json ? printJson(*found, *kernels, session->threads())
                            : printTable(*found, *kernels, session->threads()));
}

/// Generated code may keep tiles on the stack: the first thread gets as much as the others.
static void raiseStackLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= Team::stackBytes)
    return;
  limit.rlim_cur = std::min<rlim_t>(Team::stackBytes, limit.rlim_max);
  setrlimit(RLIMIT_STACK, &limit);
}

static Expected<ExitCode> run(std::string_view program, std::span<const char *const> words) {
  const Expected<Options> options = parseOptions(words);
  if (!options)
    return options.error();
  if (options->help)
    return print(helpText(program));
  if (options->version)
    return print("halftone " HALFTONE_VERSION ", model ABI " + std::to_string(HALFTONE_MODEL_ABI));
  Expected<Program> content = loadProgram();
  if (!content)
    return content.error();
  if (options->info)
    return print(std::string(content->info));
  const Expected<const Variant *> variant = chooseVariant(halftone_variants, probeFeatures());
  if (!variant)
    return variant.error();
  content->variant = *variant;
  raiseStackLimit();
  return options->bench                 ? measureSpeed(*options, *content)
         : options->profile             ? profileKernels(*options, *content)
         : !options->perplexity.empty() ? measurePerplexity(*options, *content)
         : !options->logits.empty()     ? scoreFileOf(*options, *content)
         : !options->prompts.empty()    ? continueAll(*options, *content)
                                        : continuePrompt(*options, *content);
}

int main(int argc, char **argv) {
  const std::string_view name = argc > 0 ? baseName(argv[0]) : "model";
  const std::span<const char *const> words(argv, static_cast<size_t>(argc));
  const Expected<ExitCode> code = run(name, words.subspan(argc > 0 ? 1 : 0));
  if (code)
    return *code;
  tell(std::string(name) + ": error: " + code.error().message);
  return failed;
}
