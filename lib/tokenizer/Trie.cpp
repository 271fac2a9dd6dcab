// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Builds the prefix tree level by level from the sorted pieces.
#include "lib/tokenizer/Trie.h"

#include <algorithm>

namespace halftone::tokenizer {

static uint8_t byteAt(std::string_view text, size_t place) { return static_cast<uint8_t>(text[place]); }

// A node and the sorted pieces below it, [first, last), which share their first `depth` bytes.
struct Pending {
  Trie::Node node;
  size_t first, last, depth;
};

Trie::Trie(std::span<const Piece> pieces, std::vector<int32_t> ids) : nodes(1) {
  std::sort(ids.begin(), ids.end(),
            [&](int32_t left, int32_t right) { return pieces[left].text < pieces[right].text; });
  std::vector<Pending> queue{{root, 0, ids.size(), 0}};
  for (size_t next = 0; next < queue.size(); ++next) {
    Pending current = queue[next];
    longest = std::max(longest, current.depth);
    // Sorted, so the piece that ends here comes before those that go on.
    if (current.first < current.last && pieces[ids[current.first]].text.size() == current.depth)
      nodes[current.node].id = ids[current.first++];
    nodes[current.node].firstChild = static_cast<Node>(nodes.size());
    for (size_t first = current.first; first < current.last;) {
      const uint8_t byte = byteAt(pieces[ids[first]].text, current.depth);
      size_t last = first;
      while (last < current.last && byteAt(pieces[ids[last]].text, current.depth) == byte)
        ++last;
      queue.push_back({static_cast<Node>(nodes.size()), first, last, current.depth + 1});
      nodes.push_back({.byte = byte});
      ++nodes[current.node].children;
      first = last;
    }
  }
}

bool Trie::step(Node &node, char byte) const {
  const auto first = nodes.begin() + nodes[node].firstChild, last = first + nodes[node].children;
  const auto wanted = static_cast<uint8_t>(byte);
  const auto found =
      std::lower_bound(first, last, wanted, [](const Entry &entry, uint8_t value) { return entry.byte < value; });
  if (found == last || found->byte != wanted)
    return false;
  node = static_cast<Node>(found - nodes.begin());
  return true;
}

size_t Trie::longestPrefix(std::string_view text) const {
  size_t longest = 0;
  Node node = root;
  for (size_t place = 0; place < text.size() && step(node, text[place]); ++place)
    if (idAt(node) != absent)
      longest = place + 1;
  return longest;
}

} // namespace halftone::tokenizer
