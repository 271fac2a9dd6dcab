// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How well a compiled model predicts a text: a first measure of what its number format lost.
#pragma once

#include "lib/evaluate/Score.h"
#include "lib/evaluate/Sequences.h"
#include "lib/io/ProgressLine.h"
#include "lib/runtime/Figures.h"
#include "lib/runtime/Session.h"

namespace halftone::runtime {

struct TextScore {
  evaluate::Surprise surprise;
  evaluate::Cut cut;
  int64_t sequences = 0; ///< documents or windows
  double seconds = 0;    ///< in the model alone
  bool interrupted = false;
};

/// Reads `cut.length` scored tokens at most of each sequence in the text file `path` (see evaluate::sequences), and
/// scores them; a length of 0 is the default one. Fails when the file cannot be read or holds nothing to score, when
/// the context is shorter than the length, on token ids beyond the vocabulary, and when logits are no numbers.
Expected<TextScore> scoreText(Session &session, const tokenizer::Tokenizer &tokenizer, const std::string &path,
                              evaluate::Cut cut, io::ProgressLine &progress, bool (*interrupted)());

/// What --perplexity prints.
std::vector<Figure> figures(const TextScore &score, std::string_view format, int64_t threads);

} // namespace halftone::runtime
