// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sequence by sequence, chunk by chunk, token by token.
#include "lib/runtime/Perplexity.h"

#include "lib/runtime/Clock.h"

#include <algorithm>

namespace halftone::runtime {

static Status checkTokens(std::span<const evaluate::Sequence> sequences, int64_t vocabulary) {
  for (const evaluate::Sequence &sequence : sequences)
    for (const int64_t token : sequence.tokens)
      if (token < 0 || token >= vocabulary)
        return Error{"the tokenizer in this binary gives token " + std::to_string(token) +
                     ", outside the vocabulary of " + std::to_string(vocabulary)};
  return {};
}

/// Scores one sequence from the start of the session on.
static Status scoreSequence(Session &session, const evaluate::Sequence &sequence, TextScore &score) {
  session.restart();
  std::span<const int64_t> read = sequence.read(), scored = sequence.scored();
  while (!read.empty()) {
    const size_t size = std::min(read.size(), static_cast<size_t>(session.chunk()));
    const double before = now();
    const Expected<std::span<const float>> logits = session.score(read.first(size));
    if (!logits)
      return logits.error();
    score.seconds += now() - before;
    const size_t row = static_cast<size_t>(session.vocabulary());
    for (size_t place = 0; place < size; ++place)
      if (Status added = score.surprise.add(logits->subspan(place * row, row), scored[place]); !added)
        return added;
    read = read.subspan(size);
    scored = scored.subspan(size);
  }
  return {};
}

static const char *sequenceName(const evaluate::Cut &cut) { return cut.separator.empty() ? "window" : "document"; }

Expected<TextScore> scoreText(Session &session, const tokenizer::Tokenizer &tokenizer, const std::string &path,
                              evaluate::Cut cut, io::ProgressLine &progress, bool (*interrupted)()) {
  if (cut.length == 0)
    cut.length = evaluate::defaultLength(cut.separator, session.context());
  if (cut.length > session.context())
    return Error{"--length: " + std::to_string(cut.length) + " tokens, the context holds " +
                 std::to_string(session.context())};
  const Expected<std::vector<evaluate::Sequence>> sequences = evaluate::readSequences(path, cut, tokenizer);
  if (!sequences)
    return sequences.error();
  if (Status checked = checkTokens(*sequences, session.vocabulary()); !checked)
    return checked.error();
  TextScore score;
  score.cut = cut;
  for (const evaluate::Sequence &sequence : *sequences) {
    score.interrupted = interrupted && interrupted();
    if (score.interrupted)
      return score;
    if (Status scored = scoreSequence(session, sequence, score); !scored)
      return Error{path + ": " + sequenceName(cut) + " " + std::to_string(score.sequences + 1) + ": " +
                   scored.error().message};
    ++score.sequences;
    progress.advance(std::string(sequenceName(cut)) + " " + std::to_string(score.sequences) + "/" +
                         std::to_string(sequences->size()) + ", perplexity so far " +
                         fixed(score.surprise.perplexity(), 4),
                     static_cast<uint64_t>(score.sequences), sequences->size());
  }
  return score;
}

std::vector<Figure> figures(const TextScore &score, std::string_view format, int64_t threads) {
  const bool isWindows = score.cut.separator.empty();
  const double perplexity = score.surprise.perplexity(), mean = score.surprise.mean();
  const double rate = score.seconds > 0 ? static_cast<double>(score.surprise.tokens()) / score.seconds : 0;
  return {{"format", literal(format), "format", std::string(format)},
          {"perplexity", literal(perplexity), "perplexity", fixed(perplexity, 4)},
          {"nats_per_token", literal(mean), "nats per token", fixed(mean, 4)},
          {"tokens", literal(score.surprise.tokens()), "scored tokens", std::to_string(score.surprise.tokens())},
          {isWindows ? "windows" : "documents", literal(score.sequences), isWindows ? "windows" : "documents",
           std::to_string(score.sequences)},
          {"length", literal(score.cut.length), "of at most", std::to_string(score.cut.length) + " tokens"},
          {"tokens_per_second", literal(rate), "speed", fixed(rate, 1) + " tokens/s"},
          {"threads", literal(threads), "threads", std::to_string(threads)}};
}

} // namespace halftone::runtime
