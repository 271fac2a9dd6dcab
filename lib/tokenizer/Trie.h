// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A prefix tree of pieces: what unigram and user defined symbols ask at each place of the text.
#pragma once

#include "lib/tokenizer/SentencePieceModel.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace halftone::tokenizer {

/// Nodes in breadth-first order, so the children of a node stand side by side, sorted by their byte. Built once, then
/// only read.
class Trie {
public:
  static constexpr int32_t absent = -1;
  using Node = uint32_t;

  Trie() : nodes(1) {}
  /// The tree of the pieces whose ids are given, in any order, no two of the same text.
  Trie(std::span<const Piece> pieces, std::vector<int32_t> ids);

  static constexpr Node root = 0;
  /// Steps from `node` along `byte`; false, with `node` as it was, when no piece goes on that way.
  bool step(Node &node, char byte) const;
  /// The id of the piece that ends at `node`, or `absent`.
  int32_t idAt(Node node) const { return nodes[node].id; }

  /// Bytes of the longest piece.
  size_t depth() const { return longest; }
  /// The bytes of the longest piece that `text` begins with; 0 when there is none.
  size_t longestPrefix(std::string_view text) const;

private:
  struct Entry {
    Node firstChild = 0;
    uint16_t children = 0;
    uint8_t byte = 0;
    int32_t id = absent;
  };
  std::vector<Entry> nodes;
  size_t longest = 0;
};

} // namespace halftone::tokenizer
