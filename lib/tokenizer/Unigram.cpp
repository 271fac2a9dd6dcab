// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The Viterbi search of SentencePiece's unigram_model.cc (0.2.3), Model::EncodeOptimized: one best way to each place of
// the text.
#include "lib/tokenizer/Unigram.h"

#include "lib/tokenizer/Utf8.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

namespace halftone::tokenizer {

// What an unknown character costs beyond the worst piece (kUnkPenalty).
static constexpr float unknownPenalty = 10;
// Sums beyond this are counted from zero again, so that a long text does not eat up the digits (kScoreResetThreshold).
static constexpr float resetThreshold = 100000;

/// The last piece of the best way to a place.
struct Unigram::Step {
  int32_t id = -1;
  int32_t begin = -1; // -1: not reached
  float score = 0;    // of the whole way

  void improve(int32_t newId, size_t newBegin, float newScore) {
    if (begin < 0 || newScore > score)
      *this = {newId, static_cast<int32_t>(newBegin), newScore};
  }
};

Unigram::Unigram(const Vocabulary &vocabulary)
    : vocabulary(vocabulary), trie(vocabulary.model().pieces, vocabulary.ordinaryIds()) {
  float lowest = FLT_MAX;
  for (const Piece &piece : vocabulary.model().pieces)
    if (piece.type == PieceType::normal)
      lowest = std::min(lowest, piece.score);
  unknownScore = lowest - unknownPenalty;
}

// A user defined symbol scores above all others, longer ones more (GetUserDefinedScore).
float Unigram::scoreOf(int32_t id, size_t length) const {
  const Piece &piece = vocabulary.piece(id);
  return piece.type == PieceType::userDefined ? static_cast<float>(0.1 * static_cast<int>(length - 1)) : piece.score;
}

// Takes the score at `begin` from all places reached so far beyond it: none is farther than the longest piece or
// character.
void Unigram::resetScores(size_t begin, std::vector<Step> &best) const {
  const float offset = best[begin].score;
  if (std::abs(offset) <= resetThreshold)
    return;
  const size_t end = std::min(best.size(), begin + std::max<size_t>(trie.depth(), 4) + 1);
  for (size_t place = begin; place < end; ++place)
    if (place == begin || best[place].begin >= 0)
      best[place].score -= offset;
}

// Tries every piece that begins at `begin`, and the unknown piece when none is just the character there.
void Unigram::extendFrom(std::string_view text, size_t begin, std::vector<Step> &best) const {
  resetScores(begin, best);
  const float scoreHere = best[begin].score;
  const size_t character = std::min(text.size() - begin, lengthFromLead(text[begin]));
  bool characterIsPiece = false;
  Trie::Node node = Trie::root;
  for (size_t end = begin; end < text.size() && trie.step(node, text[end]);) {
    ++end;
    const int32_t id = trie.idAt(node);
    if (id == Trie::absent || vocabulary.isUnused(id))
      continue;
    best[end].improve(id, begin, scoreOf(id, end - begin) + scoreHere);
    characterIsPiece |= end - begin == character;
  }
  if (!characterIsPiece)
    best[begin + character].improve(static_cast<int32_t>(vocabulary.model().unknownId), begin,
                                    unknownScore + scoreHere);
}

std::vector<Segment> Unigram::segment(std::string_view text) const {
  std::vector<Step> best(text.size() + 1);
  for (size_t begin = 0; begin < text.size(); begin += std::min(text.size() - begin, lengthFromLead(text[begin])))
    extendFrom(text, begin, best);
  std::vector<Segment> segments;
  for (size_t end = text.size(); end > 0; end = best[end].begin)
    segments.push_back({text.substr(best[end].begin, end - best[end].begin), best[end].id});
  std::reverse(segments.begin(), segments.end());
  return segments;
}

} // namespace halftone::tokenizer
