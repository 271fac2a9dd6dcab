// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The weights that a killed run of the same command has coded.
#pragma once

#include "lib/io/Journal.h"
#include "passes/model/CodeWeights.h"

namespace halftone {

class CodedJournal {
public:
  /// Opens `<output>.work`. What is there counts when model, data and all that decides codes were the same. Fails when
  /// a file cannot be read.
  static Expected<CodedJournal> open(const QuantizeModelOptions &options, const onnx::Model &model,
                                     std::span<const WeightToCode> weights);

  /// Whether weight `index` of those it was opened for is there.
  bool hasCodes(size_t index) const { return journal.contains(codesName(index)); }
  Expected<WeightCodes> codes(size_t index) const;
  Status keep(size_t index, const WeightCodes &codes);

  /// Factors for the columns of the weights that read the same inputs as weight `index`, the first of them.
  bool hasScale(size_t index) const { return journal.contains(scaleName(index)); }
  Expected<std::vector<float>> scale(size_t index) const;
  Status keepScale(size_t index, std::span<const float> scale);

  /// The output stands.
  void remove() { journal.remove(); }

private:
  explicit CodedJournal(io::Journal journal) : journal(std::move(journal)) {}
  static std::string codesName(size_t index) { return "codes " + std::to_string(index); }
  static std::string scaleName(size_t index) { return "scale " + std::to_string(index); }

  io::Journal journal;
};

} // namespace halftone
