// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The merge loop of SentencePiece's bpe_model.cc (0.2.3): a doubly linked list of symbols and a heap of candidate
// pairs, O(n log n).
#include "lib/tokenizer/Bpe.h"

#include "lib/tokenizer/Utf8.h"

#include <algorithm>
#include <span>

namespace halftone::tokenizer {

namespace {

/// A stretch of the text; empty once it was merged into its left neighbour.
struct Symbol {
  int32_t previous, next; // -1 beyond the ends
  uint32_t begin, size;
  bool frozen; // a user defined symbol
};

/// Two neighbours that would make a piece. Stale when either has changed since, which the size tells.
struct Candidate {
  float score;
  int32_t left, right;
  uint32_t size;

  bool operator<(const Candidate &other) const {
    return score < other.score || (score == other.score && left > other.left);
  }
};

/// How an unused piece came about, to undo it.
struct Halves {
  std::string_view left, right;
};

/// One run of the algorithm over one text.
class Merger {
public:
  Merger(const Vocabulary &vocabulary, std::string_view text) : vocabulary(vocabulary), text(text) {}

  std::vector<Segment> run() {
    splitIntoSymbols();
    for (size_t right = 1; right < symbols.size(); ++right)
      propose(static_cast<int32_t>(right) - 1, static_cast<int32_t>(right));
    while (!heap.empty())
      mergeBest();
    return collect();
  }

private:
  std::string_view textOf(const Symbol &symbol) const { return text.substr(symbol.begin, symbol.size); }

  void splitIntoSymbols() {
    symbols.reserve(text.size());
    for (size_t begin = 0; begin < text.size();) {
      const std::string_view rest = text.substr(begin);
      const size_t userDefined = vocabulary.userDefined().longestPrefix(rest);
      const size_t size = userDefined ? userDefined : std::min(rest.size(), lengthFromLead(rest[0]));
      const auto index = static_cast<int32_t>(symbols.size());
      symbols.push_back(
          {index - 1, index + 1, static_cast<uint32_t>(begin), static_cast<uint32_t>(size), userDefined != 0});
      begin += size;
    }
    if (!symbols.empty())
      symbols.back().next = -1;
  }

  // Puts the pair on the heap when together they are a piece.
  void propose(int32_t left, int32_t right) {
    if (left < 0 || right < 0 || symbols[left].frozen || symbols[right].frozen)
      return;
    const uint32_t size = symbols[left].size + symbols[right].size;
    const int32_t id = vocabulary.ordinary(text.substr(symbols[left].begin, size));
    if (id == PieceTable::absent)
      return;
    heap.push_back({vocabulary.piece(id).score, left, right, size});
    std::push_heap(heap.begin(), heap.end());
    if (vocabulary.isUnused(id))
      rememberHalves(id, {textOf(symbols[left]), textOf(symbols[right])});
  }

  // The last pair seen counts, wherever in the text it stood: so does SentencePiece.
  void rememberHalves(int32_t id, Halves halves) {
    halvesOf.resize(vocabulary.model().pieces.size());
    halvesOf[id] = halves;
  }

  void mergeBest() {
    std::pop_heap(heap.begin(), heap.end());
    const Candidate best = heap.back();
    heap.pop_back();
    Symbol &left = symbols[best.left], &right = symbols[best.right];
    if (left.size == 0 || right.size == 0 || left.size + right.size != best.size)
      return;
    left.size = best.size;
    left.next = right.next;
    if (right.next >= 0)
      symbols[right.next].previous = best.left;
    right.size = 0;
    propose(left.previous, best.left);
    propose(best.left, left.next);
  }

  std::vector<Segment> collect() const {
    std::vector<Segment> segments;
    for (int32_t index = symbols.empty() ? -1 : 0; index >= 0; index = symbols[index].next)
      resegment(textOf(symbols[index]), segments);
    return segments;
  }

  // Unused pieces only help to reach others; one that is left over falls back into the halves it was made of.
  void resegment(std::string_view part, std::vector<Segment> &segments) const {
    const int32_t id = vocabulary.ordinary(part);
    if (id != PieceTable::absent && !vocabulary.isUnused(id)) {
      segments.push_back({part, id});
    } else if (id == PieceTable::absent || halvesOf.empty() || halvesOf[id].left.empty()) {
      segments.push_back({part, static_cast<int32_t>(vocabulary.model().unknownId)});
    } else {
      resegment(halvesOf[id].left, segments);
      resegment(halvesOf[id].right, segments);
    }
  }

  const Vocabulary &vocabulary;
  std::string_view text;
  std::vector<Symbol> symbols;
  std::vector<Candidate> heap;
  std::vector<Halves> halvesOf; // by id; empty as long as no unused piece was met
};

} // namespace

std::vector<Segment> Bpe::segment(std::string_view text) const { return Merger(vocabulary, text).run(); }

} // namespace halftone::tokenizer
