// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The unigram language model: the cut whose pieces have the highest sum of scores.
#pragma once

#include "lib/tokenizer/Vocabulary.h"

namespace halftone::tokenizer {

/// Cuts by the best path through all pieces that match anywhere [Kudo 2018], with SentencePiece's
/// roundings in float, which decide among ways of nearly equal score.
class Unigram : public Segmenter {
public:
  /// `vocabulary` must outlive this.
  explicit Unigram(const Vocabulary &vocabulary);
  std::vector<Segment> segment(std::string_view text) const override;

private:
  struct Step;
  float scoreOf(int32_t id, size_t length) const;
  void resetScores(size_t begin, std::vector<Step> &best) const;
  void extendFrom(std::string_view text, size_t begin, std::vector<Step> &best) const;

  const Vocabulary &vocabulary;
  Trie trie;
  float unknownScore;
};

} // namespace halftone::tokenizer
