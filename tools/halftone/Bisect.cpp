// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// halftone bisect: two models that should be one, and where they are not. Exit status as cmp's: 0 the same, 1 they
// part, 2 trouble.
#include "lib/io/MappedFile.h"
#include "lib/io/ProgressLine.h"
#include "tools/halftone/BisectFacts.h"
#include "tools/halftone/Commands.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <set>
#include <unistd.h>

namespace halftone::tool {

namespace {

/// What the command line says.
struct BisectOptions {
  std::vector<std::string> models;
  std::string tokenizer, text;
  evaluate::Cut cut; ///< a length of 0: the default
  int64_t samples = 8, threads = 0;
  double tolerance = 1e-4;
  bool json = false, help = false;
};

/// What a path is.
enum class Kind : uint8_t { Executable, Module, Folder };

} // namespace

static constexpr const char *kindNames[] = {"an executable", "a module of IR", "a folder of dumps"};

static CommandLine commandLine(BisectOptions &options) {
  return {"halftone bisect A B --tokenizer=FILE --text=FILE [options]",
          "Says where two models part that should compute the same: two executables (by their logits, and by what they "
          "say of themselves), two modules of IR of a stage up to quantize (block by block, then by operation and "
          "weight), or two folders of dumps (by stage, then as modules; compile with --dump-dir and --keep-weights). "
          "Exits with 0 when they do not part, with 1 when they do, with 2 after an error.",
          {{"Text",
            {{"--tokenizer", "FILE", "a SentencePiece model, that of both", store(options.tokenizer)},
             {"--text", "FILE", "what to run them on", store(options.text)},
             {"--documents", "SEPARATOR", "FILE holds documents with SEPARATOR between them; by default it is one text",
              storeSome(options.cut.separator, "what stands between documents")},
             {"--samples", "N", "most documents or windows; default: 8", store(options.samples, 1)},
             {"--length", "N", "most tokens of each; by default 256, if the context holds them",
              store(options.cut.length, 1)}}},
           {"Comparing",
            {{"--tolerance", "X",
              "relative difference (root mean square) up to which outputs are the same; default: 0.0001",
              store(options.tolerance)},
             {"--json", "", "print one JSON object", store(options.json)},
             {"--threads", "N", "threads of executables", store(options.threads, 1)},
             {"--help", "", "print this", store(options.help)}}}},
          [&options](std::string_view value) -> Status {
            if (options.models.size() == 2)
              return Error{"three models given: '" + std::string(value) + "' is one too many"};
            options.models.emplace_back(value);
            return {};
          }};
}

static Status checkComplete(const BisectOptions &options) {
  const char *missing = options.models.size() < 2   ? "two models are compared"
                        : options.tokenizer.empty() ? "no tokenizer given: --tokenizer=FILE"
                        : options.text.empty()      ? "no text given: --text=FILE"
                                                    : nullptr;
  return missing ? Error{std::string(missing) + "; usage: halftone bisect A B --tokenizer=FILE --text=FILE [options]"}
                 : Status();
}

static Expected<Kind> kindOf(const std::string &path) {
  if (llvm::sys::fs::is_directory(path))
    return Kind::Folder;
  const Expected<io::MappedFile> file = io::MappedFile::open(path);
  if (!file)
    return file.error();
  static constexpr char elf[] = {0x7f, 'E', 'L', 'F'};
  const auto bytes = file->bytes();
  const bool isElf = bytes.size() > sizeof(elf) && std::memcmp(bytes.data(), elf, sizeof(elf)) == 0;
  return isElf ? Kind::Executable : Kind::Module;
}

/// The text's sequences, those that are wanted, evenly spaced.
static Expected<std::vector<evaluate::Sequence>> readText(const BisectOptions &options, const TokenizerFile &tokenizer,
                                                          int64_t context) {
  evaluate::Cut cut = options.cut;
  if (cut.length == 0)
    cut.length = std::min<int64_t>(256, context > 0 ? context : 256);
  if (context > 0 && cut.length > context)
    return Error{"--length: the context holds " + std::to_string(context) + " tokens, not " +
                 std::to_string(cut.length)};
  Expected<std::vector<evaluate::Sequence>> all = evaluate::readSequences(options.text, cut, *tokenizer.tokenizer);
  if (!all)
    return all;
  const size_t most = static_cast<size_t>(options.samples), every = (all->size() + most - 1) / most;
  std::vector<evaluate::Sequence> chosen;
  for (size_t i = 0; i < all->size(); i += every)
    chosen.push_back(std::move((*all)[i]));
  return chosen;
}

static uint64_t tokensOf(std::span<const evaluate::Sequence> sequences) {
  uint64_t tokens = 0;
  for (const evaluate::Sequence &sequence : sequences)
    tokens += sequence.read().size();
  return tokens;
}

static Status bisectExecutables(const BisectOptions &options, const TokenizerFile &tokenizer,
                                const io::WorkFolder &work, Bisection &result) {
  std::vector<Executable> both;
  for (const std::string &path : options.models) {
    Expected<Executable> executable = Executable::open(path, work);
    if (!executable)
      return executable.error();
    if (Status checked = executable->checkTokenizer(tokenizer); !checked)
      return checked;
    both.push_back(std::move(*executable));
  }
  const auto sequences = readText(options, tokenizer, std::min(both[0].context(), both[1].context()));
  if (!sequences)
    return sequences.error();
  result.tokens = tokensOf(*sequences);
  Expected<bisect::Comparison> compared = compareExecutables(both[0], both[1], *sequences, options.threads);
  if (!compared)
    return compared.error();
  result.executables = std::move(*compared);
  result.facts = compareFacts(both[0].info(), both[1].info());
  return {};
}

/// The names of the dumps in a folder, without their endings, in order.
static std::set<std::string> dumpsIn(const std::string &folder) {
  std::set<std::string> names;
  std::error_code code;
  for (llvm::sys::fs::directory_iterator entry(folder, code), end; !code && entry != end; entry.increment(code))
    if (llvm::sys::path::extension(entry->path()) == ".mlir")
      names.insert(llvm::sys::path::stem(entry->path()).str());
  return names;
}

static Expected<bool> haveSameText(const std::string &first, const std::string &second) {
  const Expected<io::MappedFile> a = io::MappedFile::open(first), b = io::MappedFile::open(second);
  if (!a || !b)
    return (a ? b : a).error();
  return a->bytes().size() == b->bytes().size() && std::equal(a->bytes().begin(), a->bytes().end(), b->bytes().begin());
}

/// Whether modules of a stage can be run: names begin with its number.
static bool canRun(const std::string &stage) { return stage < "05"; }

namespace {
/// Two files that stand for the same.
struct Pair {
  std::string stage, first, second;
};
} // namespace

static Expected<std::vector<Pair>> pairsOf(const BisectOptions &options, Kind kind) {
  const std::string &first = options.models[0], &second = options.models[1];
  if (kind == Kind::Module)
    return std::vector<Pair>{{"", first, second}};
  std::vector<Pair> pairs;
  const std::set<std::string> others = dumpsIn(second);
  for (const std::string &name : dumpsIn(first))
    if (others.contains(name))
      pairs.push_back({name, first + "/" + name + ".mlir", second + "/" + name + ".mlir"});
  if (pairs.empty())
    return Error{first + " and " + second + ": no dump of one stage is in both; --dump-dir=FOLDER makes them"};
  return pairs;
}

static Status bisectModules(const BisectOptions &options, Kind kind, const TokenizerFile &tokenizer,
                            const io::WorkFolder &work, Bisection &result) {
  const Expected<std::vector<Pair>> pairs = pairsOf(options, kind);
  if (!pairs)
    return pairs.error();
  int64_t context = 0;
  for (const std::string &path : {pairs->front().first, pairs->front().second}) {
    const Expected<int64_t> found = bisect::contextOf(path);
    if (!found)
      return found.error();
    context = context == 0 ? *found : std::min(context, *found);
  }
  const auto sequences = readText(options, tokenizer, context);
  if (!sequences)
    return sequences.error();
  result.tokens = tokensOf(*sequences);
  io::ProgressLine progress(STDERR_FILENO);
  for (const Pair &pair : *pairs) {
    progress.begin(pair.stage.empty() ? "running both" : pair.stage);
    StageComparison stage{pair.stage, {}, false};
    const Expected<bool> same = haveSameText(pair.first, pair.second);
    if (!same)
      return same.error();
    stage.sameText = *same;
    if (pair.stage.empty() || canRun(pair.stage)) {
      Expected<bisect::Comparison> compared =
          bisect::compareModules(pair.first, pair.second, *sequences, options.tolerance, work / pair.stage);
      progress.clear();
      if (!compared)
        return compared.error();
      stage.modules = std::move(*compared);
    }
    result.stages.push_back(std::move(stage));
    if (!result.isSame())
      break;
  }
  progress.clear();
  return {};
}

CommandLine bisectLine() {
  static BisectOptions unread;
  return commandLine(unread);
}

static Expected<int> compareBoth(BisectOptions &options) {
  const Expected<Kind> first = kindOf(options.models[0]), second = kindOf(options.models[1]);
  if (!first || !second)
    return (first ? second : first).error();
  if (*first != *second)
    return Error{options.models[0] + " is " + kindNames[static_cast<int>(*first)] + ", " + options.models[1] + " is " +
                 kindNames[static_cast<int>(*second)] + ": two of a kind are compared"};
  const Expected<TokenizerFile> tokenizer = TokenizerFile::open(options.tokenizer);
  if (!tokenizer)
    return tokenizer.error();
  const Expected<io::WorkFolder> work = temporaryFolder("halftone-bisect");
  if (!work)
    return work.error();
  Bisection result{options.models[0], options.models[1], options.tolerance, 0, {}, {}, {}};
  const Status done = *first == Kind::Executable ? bisectExecutables(options, *tokenizer, *work, result)
                                                 : bisectModules(options, *first, *tokenizer, *work, result);
  if (!done)
    return done.error();
  if (Status printed = print(options.json ? json(result) : text(result)); !printed)
    return printed.error();
  return result.isSame() ? 0 : 1;
}

Expected<int> bisectCommand(std::span<const std::string_view> arguments) {
  return execute(commandLine, arguments, checkComplete, compareBoth);
}

} // namespace halftone::tool
