// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading options and files; the first thing wrong is the error.
#include "passes/Inputs.h"

#include "passes/package/Library.h"

#include "lib/io/AtomicFile.h"
#include "lib/io/FollowLinks.h"
#include "lib/quantize/Candidates.h"
#include "lib/quantize/FormatPins.h"
#include "lib/quantize/VocabularyFormat.h"
#include "lib/report/Form.h"

#include "llvm/ADT/StringExtras.h"

#include <filesystem>

namespace halftone {

static Expected<formats::Format> readFormat(const char *option, const std::string &name) {
  Expected<formats::Format> format = formats::parse(name);
  if (!format)
    return Error{std::string(option) + ": " + format.error().message};
  return format;
}

static constexpr char defaultFormat[] = "int4-g32";

/// The formats that a budget chooses from.
static Expected<std::vector<std::string>> readCandidates(const PipelineOptions &options) {
  if (!options.format)
    return quantize::defaultCandidates();
  std::vector<std::string> names;
  for (llvm::StringRef name : llvm::split(*options.format, ',')) {
    if (const auto format = readFormat("--format", name.str()); !format)
      return format.error();
    names.push_back(name.str());
  }
  return names;
}

/// A budget, at most one, needs data to know what it costs.
static Status checkBudget(const PipelineOptions &options) {
  if (options.bits != 0 && options.size != 0)
    return Error{"--bits and --size are two budgets: choose one"};
  if (hasBudget(options) && options.calibration.data.empty())
    return Error{std::string(options.size != 0 ? "--size" : "--bits") + " needs data: --calibrate=FILE"};
  if (const auto pins = quantize::parsePins(options.formats); !pins)
    return Error{"--formats: " + pins.error().message};
  return {};
}

Expected<Formats> readFormats(const PipelineOptions &options) {
  std::vector<std::string> candidates;
  if (Status budget = checkBudget(options); !budget)
    return budget.error();
  if (hasBudget(options)) {
    Expected<std::vector<std::string>> read = readCandidates(options);
    if (!read)
      return read.error();
    candidates = std::move(*read);
  }
  const Expected<formats::Format> weights =
      readFormat("--format", candidates.empty() ? options.format.value_or(defaultFormat) : candidates.front());
  if (!weights)
    return weights.error();
  const std::string otherwise = formats::name(quantize::vocabularyFormat(*weights));
  const auto embedding = readFormat("--embedding-format", options.embeddingFormat.value_or(otherwise));
  const auto head = readFormat("--head-format", options.headFormat.value_or(otherwise));
  if (!embedding || !head)
    return embedding ? head.error() : embedding.error();
  return Formats{*weights, *embedding, *head, std::move(candidates)};
}

Expected<TokenizerFile> TokenizerFile::open(const std::string &path) {
  Expected<io::MappedFile> file = io::MappedFile::open(path);
  if (!file)
    return file.error();
  const std::span<const std::byte> bytes = file->bytes();
  auto tokenizer = tokenizer::readTokenizer({reinterpret_cast<const char *>(bytes.data()), bytes.size()});
  if (!tokenizer)
    return Error{path + ": " + tokenizer.error().message};
  return TokenizerFile{std::move(*file), std::move(*tokenizer)};
}

Status TokenizerFile::checkAgainst(int64_t vocabulary) const {
  if (tokenizer->vocabularySize() <= vocabulary)
    return {};
  return Error{file.path() + ": the tokenizer has " + std::to_string(tokenizer->vocabularySize()) +
               " tokens, more than the " + std::to_string(vocabulary) + " that the model knows"};
}

/// Whether a report is asked for that can be made.
static Status checkReport(const PipelineOptions &options) {
  if (options.report.empty())
    return {};
  if (!report::formOf(options.report))
    return Error{"--report: '" + options.report + "' ends neither in .json nor in .html"};
  if (options.stopAfter && *options.stopAfter < Stage::Quantize)
    return Error{"--report: what quantizing does is not known after --stop-after=" + name(*options.stopAfter).str()};
  return {};
}

/// Whether both paths, which need not exist, lead to one place.
static bool isSame(const std::string &one, const std::string &other) {
  std::error_code failed;
  const auto place = [&](const std::string &path) {
    return std::filesystem::weakly_canonical(std::filesystem::absolute(io::followLinks(path), failed), failed);
  };
  return place(one) == place(other);
}

/// All files that are to be written.
static Expected<std::vector<std::string>> outputsOf(const PipelineOptions &options) {
  std::vector<std::string> outputs;
  if (!options.output.empty())
    outputs.push_back(options.output);
  if (!options.output.empty() && options.emit && isForOthers(*options.emit)) {
    outputs.push_back(package::headerPath(options.output));
    if (outputs.back() == outputs.front())
      return Error{options.output + ": the header would have the same name; name the output otherwise"};
  }
  for (const std::string &output : outputs)
    if (!options.report.empty() && isSame(output, options.report))
      return Error{"--report: " + options.report + " is where " + output + " will stand; name the report otherwise"};
  if (!options.report.empty())
    outputs.push_back(options.report);
  if (gathersStatistics(options))
    outputs.push_back(statisticsPath(options));
  return outputs;
}

/// Starts and gives up a file at the place of each output: what would fail at the end fails now.
static Status checkOutputs(const PipelineOptions &options, const onnx::Model &model) {
  std::vector<std::string> inputs;
  for (const auto &file : model.files)
    inputs.push_back(file->path());
  if (!options.tokenizer.empty())
    inputs.push_back(options.tokenizer);
  if (!options.calibration.data.empty() && !isSelf(options.calibration))
    inputs.push_back(options.calibration.data);
  if (!options.calibration.statistics.empty())
    inputs.push_back(options.calibration.statistics);
  const Expected<std::vector<std::string>> outputs = outputsOf(options);
  if (!outputs)
    return outputs.error();
  for (const std::string &output : *outputs)
    if (const Expected<io::AtomicFile> probe = io::AtomicFile::create(output, {.inputs = inputs}); !probe)
      return probe.error();
  return {};
}

static Status checkSymbol(const std::string &symbol) {
  if (symbol.empty() || package::isIdentifier(symbol))
    return {};
  return Error{"--symbol: '" + symbol + "' is no name in C: letters, digits and _ make one, a digit not first"};
}

/// A method gets the data that it needs, and no other gets data.
static Expected<std::vector<const quantize::Method *>> readMethods(const PipelineOptions &all) {
  const CalibrationOptions &options = all.calibration;
  Expected<std::vector<const quantize::Method *>> methods = quantize::parseMethods(options.method);
  if (!methods)
    return Error{"--method: " + methods.error().message};
  const bool needsData = quantize::gatheredFor(*methods) != calibrate::Gather::nothing || hasBudget(all);
  if (needsData && !isCalibrated(options))
    return Error{"--method=" + options.method + " needs data: --calibrate=FILE"};
  if (!needsData && isCalibrated(options) && !gathersStatistics(all))
    return Error{(options.data.empty() ? "--statistics: " : "--calibrate: ") + options.method + " needs no data"};
  if (!options.data.empty() && !options.statistics.empty())
    return Error{"--calibrate and --statistics both say what is known of activations: choose one"};
  return methods;
}

/// A module that is quantized has decided what these options decide.
static Status checkQuantized(const PipelineOptions &options) {
  const struct {
    const char *option;
    bool given;
  } decided[] = {{"--format", options.format.has_value()},
                 {"--embedding-format", options.embeddingFormat.has_value()},
                 {"--head-format", options.headFormat.has_value()},
                 {"--method", options.calibration.method != CalibrationOptions().method},
                 {"--calibrate", !options.calibration.data.empty()},
                 {"--statistics", !options.calibration.statistics.empty()},
                 {"--formats", !options.formats.empty()},
                 {"--bits", options.bits != 0},
                 {"--size", options.size != 0},
                 {"--untie", options.untie},
                 {"--kv-format", !options.cacheFormat.empty()},
                 {"--fold-norm-scale", options.foldNormScale},
                 {"--rotate", options.rotate},
                 {"--context", options.context != 0},
                 {"--stop-after", options.stopAfter && *options.stopAfter <= Stage::Quantize}};
  for (const auto &[option, given] : decided)
    if (given)
      return Error{std::string(option) + ": " + options.input + " has been through the stage quantize already"};
  return {};
}

/// The model's file, and those of its external data, which a module names only when it is parsed.
static Expected<onnx::Model> openModel(const PipelineOptions &options) {
  if (!isQuantized(options))
    return onnx::readModel(options.input, {.externalDataRoot = options.externalDataRoot});
  if (Status checked = checkQuantized(options); !checked)
    return checked.error();
  Expected<io::MappedFile> file = io::MappedFile::open(options.input);
  if (!file)
    return file.error();
  onnx::Model model;
  model.files.push_back(std::make_shared<const io::MappedFile>(std::move(*file)));
  return model;
}

Expected<Inputs> Inputs::open(const PipelineOptions &options) {
  Expected<Formats> formats = readFormats(options);
  if (!formats)
    return formats.error();
  Expected<std::vector<const quantize::Method *>> methods = readMethods(options);
  if (!methods)
    return methods.error();
  if (Status checked = checkReport(options); !checked)
    return checked.error();
  if (Status symbol = checkSymbol(options.symbol); !symbol)
    return symbol.error();
  std::optional<TokenizerFile> tokenizer;
  if (!options.tokenizer.empty()) {
    Expected<TokenizerFile> read = TokenizerFile::open(options.tokenizer);
    if (!read)
      return read.error();
    tokenizer = std::move(*read);
  }
  Expected<onnx::Model> model = openModel(options);
  if (!model)
    return model.error();
  if (Status checked = checkOutputs(options, *model); !checked)
    return checked.error();
  return Inputs{*formats, std::move(*methods), std::move(*model), std::move(tokenizer)};
}

} // namespace halftone
