// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// halftone eval: what a number format lost. The model is compiled as it was trained, in f32; a text goes through that
// and through each executable to compare; their probabilities are the measure.
#include "lib/io/ProgressLine.h"
#include "tools/halftone/CommandLine.h"
#include "tools/halftone/Commands.h"
#include "tools/halftone/Display.h"
#include "tools/halftone/Evaluation.h"

#include "llvm/Support/Path.h"

#include <unistd.h>

namespace halftone::tool {

namespace {

/// What the command line says.
struct EvalOptions {
  PipelineOptions pipeline; ///< of the model in f32
  std::string text;
  evaluate::Cut cut; ///< a length of 0: the default
  std::vector<std::string> against;
  int64_t threads = 0;
  bool json = false, help = false;
};

} // namespace

static std::function<Status(std::string_view)> append(std::vector<std::string> &list) {
  return [&list](std::string_view value) -> Status {
    list.emplace_back(value);
    return {};
  };
}

static CommandLine commandLine(EvalOptions &options) {
  PipelineOptions &pipeline = options.pipeline;
  return {"halftone eval MODEL.onnx --tokenizer=FILE --text=FILE [options]",
          "Compiles a decoder in f32 into a temporary folder ($TMPDIR) and scores a text with it and with executables "
          "compiled from the same model: perplexity of each; mean and 99.9 % quantile over the tokens of the KL "
          "divergence from f32, in nats; the share of tokens for which both find the same token likeliest. Figures go "
          "to standard output, progress to standard error.",
          {{"Text",
            {{"--tokenizer", "FILE", "a SentencePiece model, the one that the executables have built in",
              store(pipeline.tokenizer)},
             {"--text", "FILE", "what to score; a token begins each sequence if the tokenizer has one for that",
              store(options.text)},
             {"--documents", "SEPARATOR",
              "FILE holds documents with SEPARATOR between them, scored one at a time, without white space around "
              "them; by default it is one text, scored in consecutive windows",
              storeSome(options.cut.separator, "what stands between documents")},
             {"--length", "N",
              "scored tokens of a document, the rest is cut off, or of a window, at most; by default 256, if the "
              "context holds them, of a document, and the context of a window",
              store(options.cut.length, 1)}}},
           {"Models",
            {{"--against", "EXECUTABLE", "compare this; may be given several times", append(options.against)},
             {"--external-data-root", "FOLDER", "where external data may lie besides the model's own folder",
              store(pipeline.externalDataRoot)},
             {"--context", "N", "most tokens of a sequence; by default what the model says, else 2048",
              store(pipeline.context, 1)}}},
           {"Running",
            {{"--json", "", "print one JSON object instead of a table", store(options.json)},
             {"--threads", "N", "threads; the result does not depend on it", store(options.threads, 1)},
             {"--help", "", "print this", store(options.help)}}}},
          takeModel(pipeline.input, "; an executable to compare goes after --against")};
}

static Status checkComplete(const EvalOptions &options) {
  const char *missing = options.pipeline.input.empty()       ? "no model given"
                        : options.pipeline.tokenizer.empty() ? "no tokenizer given: --tokenizer=FILE"
                        : options.text.empty()               ? "no text given: --text=FILE"
                                                             : nullptr;
  if (!missing)
    return {};
  return Error{std::string(missing) + "; usage: halftone eval MODEL.onnx --tokenizer=FILE --text=FILE [options]"};
}

static Expected<std::vector<Evaluated>> openAgainst(const EvalOptions &options, const TokenizerFile &tokenizer,
                                                    const io::WorkFolder &work) {
  std::vector<Evaluated> result;
  for (const std::string &path : options.against) {
    Expected<Executable> executable = Executable::open(path, work);
    if (!executable)
      return executable.error();
    if (Status checked = executable->checkTokenizer(tokenizer); !checked)
      return checked.error();
    result.push_back({std::move(*executable), {}});
  }
  return result;
}

/// The model as it was trained, as an executable in the work folder.
static Expected<Executable> compileReference(const EvalOptions &options, const io::WorkFolder &work) {
  PipelineOptions pipeline = options.pipeline;
  pipeline.format = "f32";
  pipeline.output = work / "f32";
  pipeline.threads = static_cast<unsigned>(options.threads);
  pipeline.runtimeFolder = findRuntime();
  Display display;
  const Expected<std::vector<StageReport>> reports = compile(pipeline, display);
  display.clear();
  if (!reports)
    return reports.error();
  return Executable::open(pipeline.output, work);
}

static Status checkContext(const Executable &executable, const std::string &name, int64_t length) {
  if (length <= executable.context())
    return {};
  return Error{name + ": the context holds " + std::to_string(executable.context()) + " tokens, " +
               std::to_string(length) + " are to be scored; --length=" + std::to_string(executable.context()) +
               " fits"};
}

static Status checkContexts(const Evaluation &evaluation) {
  if (Status checked = checkContext(evaluation.reference, evaluation.model, evaluation.cut.length); !checked)
    return checked;
  for (const Evaluated &other : evaluation.against)
    if (Status checked = checkContext(other.executable, other.executable.path(), evaluation.cut.length); !checked)
      return checked;
  return {};
}

static Status score(Evaluation &evaluation, std::span<const evaluate::Sequence> sequences, int64_t threads) {
  io::ProgressLine progress(STDERR_FILENO);
  const std::string what = evaluation.cut.separator.empty() ? "window " : "document ";
  const std::string total = "/" + std::to_string(sequences.size());
  progress.begin(what + "0" + total);
  Status added;
  for (size_t done = 0; done < sequences.size() && added; ++done) {
    added = evaluation.add(sequences[done], threads);
    progress.advance(what + std::to_string(done + 1) + total, done + 1, sequences.size());
  }
  progress.clear();
  return added;
}

/// Errors of the text and of the executables come before anything is compiled.
static Expected<Evaluation> evaluateAll(const EvalOptions &options, const TokenizerFile &tokenizer,
                                        const io::WorkFolder &work) {
  if (auto probe = evaluate::readSequences(options.text, {options.cut.separator, 1}, *tokenizer.tokenizer); !probe)
    return probe.error();
  Expected<std::vector<Evaluated>> against = openAgainst(options, tokenizer, work);
  if (!against)
    return against.error();
  Expected<Executable> reference = compileReference(options, work);
  if (!reference)
    return reference.error();
  evaluate::Cut cut = options.cut;
  if (cut.length == 0)
    cut.length = evaluate::defaultLength(cut.separator, reference->context());
  Evaluation result{options.pipeline.input, options.text, cut, 0, std::move(*reference), {}, std::move(*against)};
  if (Status checked = checkContexts(result); !checked)
    return checked.error();
  const auto sequences = evaluate::readSequences(options.text, cut, *tokenizer.tokenizer);
  if (!sequences)
    return sequences.error();
  if (Status scored = score(result, *sequences, options.threads); !scored)
    return scored.error();
  return result;
}

CommandLine evalLine() {
  static EvalOptions unread;
  return commandLine(unread);
}

static Status printEvaluation(EvalOptions &options) {
  const Expected<TokenizerFile> tokenizer = TokenizerFile::open(options.pipeline.tokenizer);
  if (!tokenizer)
    return tokenizer.error();
  const Expected<io::WorkFolder> work = temporaryFolder("halftone-eval");
  if (!work)
    return work.error();
  const Expected<Evaluation> evaluation = evaluateAll(options, *tokenizer, *work);
  if (!evaluation)
    return evaluation.error();
  return print(options.json ? json(*evaluation) : table(*evaluation));
}

Expected<int> evalCommand(std::span<const std::string_view> arguments) {
  return execute(commandLine, arguments, checkComplete, printEvaluation);
}

} // namespace halftone::tool
