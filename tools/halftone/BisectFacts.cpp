// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Executables are asked, not read.
#include "tools/halftone/BisectFacts.h"

#include "lib/evaluate/Difference.h"
#include "lib/evaluate/Score.h"

#include "llvm/Support/FormatVariadic.h"

#include <cstring>

namespace halftone::tool {

static std::vector<float> floats(const io::NpyArray &array) {
  std::vector<float> values(array.shape()[0] * array.shape()[1]);
  std::memcpy(values.data(), array.data().data(), values.size() * sizeof(float));
  return values;
}

Expected<bisect::Comparison> compareExecutables(const Executable &first, const Executable &second,
                                                std::span<const evaluate::Sequence> sequences, int64_t threads) {
  evaluate::Difference difference;
  double sum = 0;
  size_t rows = 0;
  for (const evaluate::Sequence &sequence : sequences) {
    const Expected<io::NpyArray> want = first.logits(sequence.read(), threads);
    if (!want)
      return want.error();
    const Expected<io::NpyArray> got = second.logits(sequence.read(), threads);
    if (!got)
      return got.error();
    if (want->shape() != got->shape())
      return Error{first.path() + " gives " + std::to_string(want->shape()[1]) + " logits a token, " + second.path() +
                   " " + std::to_string(got->shape()[1]) + ": they are not of one model"};
    const std::vector<float> a = floats(*want), b = floats(*got);
    const size_t vocabulary = want->shape()[1];
    difference.add(a, b);
    for (size_t place = 0; place < a.size(); place += vocabulary, ++rows) {
      const auto x = evaluate::Distribution::create(std::span(a).subspan(place, vocabulary));
      const auto y = evaluate::Distribution::create(std::span(b).subspan(place, vocabulary));
      if (!x || !y)
        return Error{(x ? second : first).path() + ": " + (x ? y : x).error().message};
      sum += x->divergence(*y);
    }
  }
  bisect::Comparison result;
  result.outputs = difference.relative();
  result.divergence = sum / static_cast<double>(rows);
  return result;
}

static std::string spelled(const llvm::json::Value *value) {
  return value ? llvm::formatv("{0}", *value).str() : "(none)";
}

/// The members of two objects that are not the same, by name.
static void compareObjects(const std::string &prefix, const llvm::json::Object &first, const llvm::json::Object &second,
                           std::vector<FactDifference> &found) {
  std::vector<std::string> names;
  for (const llvm::json::Object *object : {&first, &second})
    for (const auto &[name, value] : *object)
      if (std::find(names.begin(), names.end(), name.str()) == names.end())
        names.push_back(name.str());
  std::sort(names.begin(), names.end());
  for (const std::string &name : names) {
    const llvm::json::Value *a = first.get(name), *b = second.get(name);
    if (!a || !b || *a != *b)
      found.push_back({prefix + name, spelled(a), spelled(b)});
  }
}

/// Weights pair by pair: [name, shape, format, bytes].
static void compareWeights(const llvm::json::Array &first, const llvm::json::Array &second,
                           std::vector<FactDifference> &found) {
  const auto part = [](const llvm::json::Value &weight, size_t place) {
    const llvm::json::Array *list = weight.getAsArray();
    return list && place < list->size() ? (*list)[place] : llvm::json::Value(nullptr);
  };
  for (size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    const llvm::json::Value a = i < first.size() ? first[i] : nullptr, b = i < second.size() ? second[i] : nullptr;
    if (part(a, 2) != part(b, 2) || part(a, 1) != part(b, 1) || part(a, 0) != part(b, 0))
      found.push_back({"weight " + part(a, 0).getAsString().value_or("(none)").str(), spelled(&a), spelled(&b)});
  }
}

std::vector<FactDifference> compareFacts(const llvm::json::Object &first, const llvm::json::Object &second) {
  static constexpr const char *decisions[] = {"files",       "tokenizer",  "format",  "embedding_format",
                                              "head_format", "parameters", "context", "targets"};
  std::vector<FactDifference> found;
  for (const char *name : decisions) {
    const llvm::json::Value *a = first.get(name), *b = second.get(name);
    if ((a || b) && (!a || !b || *a != *b))
      found.push_back({name, spelled(a), spelled(b)});
  }
  static const llvm::json::Object none;
  const llvm::json::Object *a = first.getObject("options"), *b = second.getObject("options");
  compareObjects("option ", a ? *a : none, b ? *b : none, found);
  static const llvm::json::Array empty;
  const llvm::json::Array *x = first.getArray("weights"), *y = second.getArray("weights");
  compareWeights(x ? *x : empty, y ? *y : empty, found);
  return found;
}

} // namespace halftone::tool
