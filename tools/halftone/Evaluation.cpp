// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Row by row through the logits of two models, and the figures' spelling.
#include "tools/halftone/Evaluation.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

namespace halftone::tool {

/// The share of tokens that the table's quantile of the divergence covers.
static constexpr double quantile = 0.999;

/// Row `index` of an array, which may lie unaligned in its file.
static void readRow(const io::NpyArray &logits, size_t index, std::vector<float> &row) {
  row.resize(logits.shape()[1]);
  const size_t bytes = row.size() * sizeof(float);
  std::memcpy(row.data(), logits.data().data() + index * bytes, bytes);
}

/// Row `index` as a distribution over the vocabulary, for as long as `row` stays.
static Expected<evaluate::Distribution> distribution(const Executable &executable, const io::NpyArray &logits,
                                                     size_t index, std::vector<float> &row) {
  readRow(logits, index, row);
  auto result = evaluate::Distribution::create(row);
  if (!result)
    return Error{executable.path() + ": " + result.error().message};
  return result;
}

/// The logits of every executable, the reference first.
static Expected<std::vector<io::NpyArray>> allLogits(const Evaluation &evaluation, std::span<const int64_t> tokens,
                                                     int64_t threads) {
  std::vector<io::NpyArray> result;
  Expected<io::NpyArray> logits = evaluation.reference.logits(tokens, threads);
  for (const Evaluated &other : evaluation.against) {
    if (!logits)
      break;
    result.push_back(std::move(*logits));
    logits = other.executable.logits(tokens, threads);
    if (logits && logits->shape() != result.front().shape())
      return Error{other.executable.path() + ": has a vocabulary of " + std::to_string(logits->shape()[1]) + ", " +
                   evaluation.model + " one of " + std::to_string(result.front().shape()[1])};
  }
  if (!logits)
    return logits.error();
  result.push_back(std::move(*logits));
  return result;
}

Status Evaluation::add(const evaluate::Sequence &sequence, int64_t threads) {
  const Expected<std::vector<io::NpyArray>> logits = allLogits(*this, sequence.read(), threads);
  if (!logits)
    return logits.error();
  std::vector<float> referenceRow, row;
  for (size_t place = 0; place < sequence.scored().size(); ++place) {
    const int64_t token = sequence.scored()[place];
    const auto want = distribution(reference, logits->front(), place, referenceRow);
    if (!want)
      return want.error();
    surprise.add(want->surprise(token));
    for (size_t index = 0; index < against.size(); ++index) {
      const auto got = distribution(against[index].executable, (*logits)[index + 1], place, row);
      if (!got)
        return got.error();
      against[index].comparison.add(*want, *got, token);
    }
  }
  ++sequences;
  return {};
}

static const char *sequencesName(const Evaluation &evaluation) {
  return evaluation.cut.separator.empty() ? "windows" : "documents";
}

static std::string label(const std::string &name, const Executable &executable) {
  return name + " (" + executable.format() + ")";
}

/// The beginning of every line: name, size and perplexity.
static std::string beginRow(const std::string &label, unsigned width, const Executable &executable,
                            const evaluate::Surprise &surprise) {
  const double bits = executable.info().getNumber("bits_per_weight").value_or(0);
  const long long bytes = executable.info().getInteger("weight_bytes").value_or(0);
  std::string text;
  llvm::raw_string_ostream(text) << llvm::left_justify(label, width)
                                 << llvm::format("%7.2f%14lld%12.4f", bits, bytes, surprise.perplexity());
  return text;
}

std::string table(const Evaluation &evaluation) {
  const std::string first = label(evaluation.model, evaluation.reference);
  size_t longest = first.size();
  for (const Evaluated &other : evaluation.against)
    longest = std::max(longest, label(other.executable.path(), other.executable).size());
  const unsigned width = static_cast<unsigned>(longest);
  std::string text;
  llvm::raw_string_ostream out(text);
  out << evaluation.surprise.tokens() << " scored tokens of " << evaluation.sequences << " "
      << sequencesName(evaluation) << ", at most " << evaluation.cut.length << " of each\n"
      << llvm::left_justify("model", width) << "   bits  weight bytes  perplexity   mean KL  99.9 % KL  same top\n"
      << beginRow(first, width, evaluation.reference, evaluation.surprise) << "\n";
  for (const Evaluated &other : evaluation.against) {
    const evaluate::Comparison &comparison = other.comparison;
    out << beginRow(label(other.executable.path(), other.executable), width, other.executable, comparison.surprise())
        << llvm::format("%10.5f%11.5f%8.2f %%\n", comparison.meanDivergence(), comparison.divergenceQuantile(quantile),
                        100 * comparison.sameTopShare());
  }
  return text;
}

/// What is said of the reference and of every executable.
static llvm::json::Object toJson(const Executable &executable, const evaluate::Surprise &surprise) {
  return llvm::json::Object{{"format", llvm::json::fixUTF8(executable.format())},
                            {"bits_per_weight", executable.info().getNumber("bits_per_weight").value_or(0)},
                            {"weight_bytes", executable.info().getInteger("weight_bytes").value_or(0)},
                            {"perplexity", surprise.perplexity()}};
}

std::string json(const Evaluation &evaluation) {
  llvm::json::Array against;
  for (const Evaluated &other : evaluation.against) {
    llvm::json::Object object = toJson(other.executable, other.comparison.surprise());
    object["executable"] = llvm::json::fixUTF8(other.executable.path());
    object["mean_kl_divergence"] = other.comparison.meanDivergence();
    object["kl_divergence_99.9_percentile"] = other.comparison.divergenceQuantile(quantile);
    object["same_top_share"] = other.comparison.sameTopShare();
    against.push_back(std::move(object));
  }
  llvm::json::Object object{{"model", llvm::json::fixUTF8(evaluation.model)},
                            {"text", llvm::json::fixUTF8(evaluation.text)},
                            {sequencesName(evaluation), evaluation.sequences},
                            {"length", evaluation.cut.length},
                            {"tokens", evaluation.surprise.tokens()},
                            {"reference", toJson(evaluation.reference, evaluation.surprise)},
                            {"against", std::move(against)}};
  std::string text;
  llvm::raw_string_ostream(text) << llvm::formatv("{0:2}", llvm::json::Value(std::move(object))) << "\n";
  return text;
}

} // namespace halftone::tool
