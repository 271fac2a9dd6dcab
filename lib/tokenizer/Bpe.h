// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Byte pair encoding as SentencePiece does it: the best-scored pair of neighbours is merged until no pair is a piece.
#pragma once

#include "lib/tokenizer/Vocabulary.h"

namespace halftone::tokenizer {

/// Cuts by merging [Sennrich et al. 2016], with SentencePiece's order of merges: highest score first, then leftmost.
class Bpe : public Segmenter {
public:
  /// `vocabulary` must outlive this.
  explicit Bpe(const Vocabulary &vocabulary) : vocabulary(vocabulary) {}
  std::vector<Segment> segment(std::string_view text) const override;

private:
  const Vocabulary &vocabulary;
};

} // namespace halftone::tokenizer
